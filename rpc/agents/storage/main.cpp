#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/storage_agent.hpp"
#include "rpc/agents/storage/take_over.hpp"
#include "rpc/agents/storage/zfs_store.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/fetch/units.hpp"
#include "rpc/kit/run_agent.hpp"

#include <climits>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>

namespace {

/// Of this program's socket in a package; root makes it elsewhere, too.
constexpr auto lock_folder = "/run/mistify-storage";

/// For the service manager, as root, before the daemon starts as a user of its own.
int take_over(const std::string& directory, const std::string& user, const std::string& group) {
  namespace storage = mistify::agents::storage;
  try {
    if (const auto count = storage::take_over_store(directory, storage::find_store_owner(user, group)))
      std::cout << "mistify-storage: " << directory << ": " << count << " files and folders given to " << user << '\n';
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "mistify-storage: " << e.what() << '\n';
    return 1;
  }
}

} // namespace

int main(int argc, char** argv) {
  namespace storage = mistify::agents::storage;
  mistify::rpc::listen_options listening{.port = 19999};
  std::string directory = "/var/lib/mistify-storage", pool;
  mistify::rpc::command_line options{"mistify-storage", "A sub-agent that keeps disks and images."};
  listening.add_to(options);
  options.option("-d,--directory", directory,
                 "folder to keep everything in, as qcow2 files; with --zfs, for fetches and seeds");
  options.option("--zfs", pool, "ZFS pool to keep everything in instead, as zvols");
  storage::fetch_settings fetching{.agent = "http://127.0.0.1:8080"};
  unsigned max_image = 1024 * 1024;
  options.option("--max-image", max_image, "MB that a fetched image may have, unpacked", 64 * 1024 * 1024);
  options.option("--image-server", fetching.server, "URL that images without one of their own are fetched from");
  options.option("--allow-net", fetching.reading.nets,
                 "network (CIDR) that images may come from beside the Internet; may be given several times");
  fetching.reading.least_rate = 4;
  options.option("--least-rate", fetching.reading.least_rate, "KiB a second that a source has to send, over 30 s",
                 1024 * 1024);
  unsigned fetch_time = 24 * 60;
  options.option("--fetch-time", fetch_time, "minutes that a fetch may take", 365 * 24 * 60);
  options.option("--files", fetching.reading.files,
                 "folder that file:// URLs of images may lead into; may be given several times. None: any file");
  options.option("-a,--agent", fetching.agent.url,
                 "URL of the agent, whose jobs are told how far fetches are; empty: none is",
                 mistify::rpc::command_line::need::may_be_empty);
  options.option("--agent-token", fetching.agent.token_file, "file with a token of the agent, for reports over TCP");
  options.option("--ca-file", fetching.reading.ca_file, "certificates to trust at https, instead of the system's");
  storage::room_settings space;
  unsigned reserve = UINT_MAX;
  options.option("--reserve", reserve, "MB that stay free whatever is asked for; by default a tenth, at most 1024",
                 UINT_MAX);
  options.option("--promised", space.promised_percent,
                 "percent of what disks may still grow by that is kept free for them", 100);
  std::string group;
  options.option("--qemu-group", group,
                 "group that machines run in, which may open disks; by default mistify-disks, libvirt-qemu or qemu, if "
                 "there is one");
  std::string owner;
  options.option("--take-over", owner,
                 "give the files of the folder to this user, as root, where root or QEMU's user has them, and end");
  if (auto done = options.parse(argc, argv))
    return *done;
  if (!owner.empty())
    return take_over(directory, owner, group);

  fetching.limits.max_size = max_image * storage::megabyte;
  fetching.limits.time = std::chrono::minutes{fetch_time};
  fetching.reading.least_rate *= 1024;

  if (reserve != UINT_MAX)
    space.reserve = reserve * storage::megabyte;
  const auto open = [&]() -> std::unique_ptr<storage::backend> {
    const auto access = storage::file_access::of_group(group);
    access.apply_umask();
    if (pool.empty())
      return std::make_unique<storage::directory_store>(directory, 100, access);
    return std::make_unique<storage::zfs_store>(
      storage::zfs_settings{.pool = pool, .staging = directory + "/.staging", .access = access, .locks = lock_folder});
  };
  std::optional<storage::storage_agent> agent;
  return mistify::rpc::run_agent("mistify-storage", [&]() -> mistify::rpc::server& {
    auto store = open();
    store->space().set(space);
    // Seeds hold secrets, and libarchive keeps what goes into them in a file of this folder meanwhile.
    ::setenv("TMPDIR", std::filesystem::absolute(store->staging()).c_str(), 1); // before any thread
    return agent.emplace(listening.place(), std::move(store), fetching).server();
  });
}
