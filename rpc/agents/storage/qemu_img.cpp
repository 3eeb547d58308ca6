#include "rpc/agents/storage/qemu_img.hpp"

namespace mistify::agents::storage::qemu_img {

namespace {

using std::filesystem::path;

/// Clusters of one size everywhere: streams of a chain of files need that.
constexpr auto options = "compat=1.1,cluster_size=65536";

void call(std::vector<std::string> arguments, const std::function<bool()>& stop = {}) {
  arguments.insert(arguments.begin(), "qemu-img");
  try {
    run(arguments, {.time = copying_time, .stop = stop});
  } catch (const command_failed& e) {
    if (std::string_view{e.what()}.find("lock") != std::string_view::npos)
      throw command_failed{"the disk is in use, by a running guest or a download"};
    throw;
  }
}

} // namespace

void create(const path& file, std::uint64_t size, const std::string& backing) {
  std::vector<std::string> arguments{"create", "-q", "-f", "qcow2", "-o", options};
  if (!backing.empty())
    arguments.insert(arguments.end(), {"-u", "-F", "qcow2", "-b", backing});
  arguments.insert(arguments.end(), {file, std::to_string(size)});
  call(std::move(arguments));
}

void convert(const path& from, const std::string& format, const path& to, const std::function<bool()>& stop) {
  call({"convert", "-q", "-f", format, "-O", "qcow2", "-o", options, from, to}, stop);
}

void write_device(const path& from, const std::string& format, const path& device, const std::function<bool()>& stop) {
  call({"convert", "-q", "-n", "-f", format, "-O", "raw", from, device}, stop);
}

void resize(const path& file, std::uint64_t size) {
  call({"resize", "-q", "-f", "qcow2", file, std::to_string(size)});
}

void rebase(const path& file, const std::string& backing) {
  std::vector<std::string> arguments{"rebase", "-q", "-f", "qcow2", "-b", backing};
  if (!backing.empty())
    arguments.insert(arguments.end(), {"-F", "qcow2"});
  arguments.push_back(file);
  call(std::move(arguments));
}

} // namespace mistify::agents::storage::qemu_img
