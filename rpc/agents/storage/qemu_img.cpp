#include "rpc/agents/storage/qemu_img.hpp"

#include "rpc/base/json.hpp"

#include <csignal>
#include <regex>

namespace mistify::agents::storage::qemu_img {

namespace {

using std::filesystem::path;

/// Clusters of one size everywhere: streams of a chain of files need that.
constexpr auto options = "compat=1.1,cluster_size=65536";

constexpr std::chrono::minutes looking_time{30}; // what reads tables only
constexpr std::uint64_t memory = std::uint64_t{2} << 30, open_files = 1024;

/// QEMU's own words (block/file-posix.c), with the permission between the quotes.
bool is_lock_refusal(const std::string& reason) {
  static const std::regex words{"Failed to get (shared )?\"[a-z ]+\" lock"};
  return std::regex_search(reason, words);
}

/// Files by their names alone: where an image lies on its way is nothing that a client asked for.
std::string without_folders(std::string reason, const std::vector<std::string>& arguments) {
  for (const path file : arguments) {
    if (!file.is_absolute() || !file.has_filename())
      continue;
    const auto whole = file.string(), name = file.filename().string();
    for (auto at = reason.find(whole); at != reason.npos; at = reason.find(whole, at + name.size()))
      reason.replace(at, whole.size(), name);
  }
  return reason;
}

std::string call(std::vector<std::string> arguments, command_limits limits) {
  arguments.insert(arguments.begin(), "qemu-img");
  limits.resources.memory = memory;
  limits.resources.open_files = open_files;
  limits.resources.cpu =
    static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(limits.time).count());
  try {
    return run(arguments, limits);
  } catch (const command_failed& e) {
    const auto reason = without_folders(e.what(), arguments);
    if (is_lock_refusal(reason))
      throw command_failed{"the disk is in use, by a running guest or a download: " + reason, e.status()};
    if (reason.find("No space left on device") != reason.npos)
      throw std::runtime_error{"no space left on device"};
    if (e.status() == 128 + SIGXFSZ)
      throw std::runtime_error{"the disk became larger than its head says"};
    throw command_failed{reason, e.status()};
  }
}

/// A qcow2 file of a disk of that size: its tables take less than a thousandth.
std::uint64_t most_bytes_of(std::uint64_t size) {
  return size + size / 512 + (std::uint64_t{64} << 20);
}

/// What `"name": NUMBER` says in the JSON that qemu-img prints.
std::uint64_t number_in(const std::string& text, const char* name) {
  const auto answer = rpc::json::document::parse(text);
  const auto* number = answer.root().find(name);
  if (!number)
    throw std::runtime_error{"qemu-img does not say what is " + std::string{name}};
  return number->as_uint(name);
}

} // namespace

void create(const path& file, std::uint64_t size, const std::string& backing) {
  std::vector<std::string> arguments{"create", "-q", "-f", "qcow2", "-o", options};
  if (!backing.empty())
    arguments.insert(arguments.end(), {"-u", "-F", "qcow2", "-b", backing});
  arguments.insert(arguments.end(), {file, std::to_string(size)});
  call(std::move(arguments), {.time = copying_time});
}

void check(const path& file, const std::function<bool()>& stop) {
  constexpr int leaks_only = 3; // space is lost, data are not
  try {
    call({"check", "-q", "-f", "qcow2", file}, {.time = looking_time, .stop = stop});
  } catch (const command_failed& e) {
    if (e.status() == leaks_only)
      return;
    const std::string reason = e.what(); // a line of each fault, thousands of them
    throw std::runtime_error{e.status() < 0 ? reason : "the image is damaged: " + reason.substr(0, reason.find('\n'))};
  }
}

std::uint64_t measure(const path& file, const std::string& format, const std::function<bool()>& stop) {
  return number_in(call({"measure", "--output=json", "-f", format, "-O", "qcow2", "-o", options, file},
                        {.time = looking_time, .stop = stop}),
                   "required");
}

void convert(const path& from, const std::string& format, const path& to, std::uint64_t size,
             const std::function<bool()>& stop) {
  call({"convert", "-q", "-f", format, "-O", "qcow2", "-o", options, from, to},
       {.time = copying_time, .stop = stop, .resources = {.file = most_bytes_of(size)}});
}

void write_device(const path& from, const std::string& format, const path& device, const std::function<bool()>& stop) {
  call({"convert", "-q", "-n", "-f", format, "-O", "raw", from, device}, {.time = copying_time, .stop = stop});
}

void resize(const path& file, std::uint64_t size) {
  call({"resize", "-q", "-f", "qcow2", file, std::to_string(size)}, {.time = looking_time});
}

void rebase(const path& file, const std::string& backing) {
  std::vector<std::string> arguments{"rebase", "-q", "-f", "qcow2", "-b", backing};
  if (!backing.empty())
    arguments.insert(arguments.end(), {"-F", "qcow2"});
  arguments.push_back(file);
  call(std::move(arguments), {.time = copying_time});
}

} // namespace mistify::agents::storage::qemu_img
