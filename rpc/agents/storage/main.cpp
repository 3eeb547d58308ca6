#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/storage_agent.hpp"
#include "rpc/agents/storage/take_over.hpp"
#include "rpc/agents/storage/zfs_store.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/base/last_words.hpp"
#include "rpc/fetch/fetch_options.hpp"
#include "rpc/fetch/units.hpp"
#include "rpc/kit/run_agent.hpp"

#include <climits>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

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
    mistify::rpc::last_words("mistify-storage", e.what());
    return 1;
  }
}

/// In the folder, or in the ZFS pool if one is named.
std::unique_ptr<mistify::agents::storage::backend> open_store(const std::string& directory, const std::string& pool,
                                                              const std::string& group) {
  namespace storage = mistify::agents::storage;
  constexpr std::size_t most_snapshots = 100;
  const auto access = storage::file_access::of_group(group);
  access.apply_umask();
  if (pool.empty())
    return std::make_unique<storage::directory_store>(directory, most_snapshots, access);
  return std::make_unique<storage::zfs_store>(
    storage::zfs_settings{.pool = pool, .staging = directory + "/.staging", .access = access, .locks = lock_folder});
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
  storage::fetch_settings settings{.agent = "http://127.0.0.1:8080"};
  mistify::fetching::fetch_options fetching{1024 * 1024, "MB that a fetched image may have, unpacked"};
  fetching.add_to(options);
  options.option("--image-server", settings.server, "URL that images without one of their own are fetched from");
  options.option("-a,--agent", settings.agent.url,
                 "URL of the agent, whose jobs are told how far fetches are; empty: none is",
                 mistify::rpc::command_line::need::may_be_empty);
  options.option("--agent-token", settings.agent.token_file, "file with a token of the agent, for reports over TCP");
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

  fetching.set(settings);
  if (reserve != UINT_MAX)
    space.reserve = reserve * storage::megabyte;
  std::optional<storage::storage_agent> agent;
  return mistify::rpc::run_agent("mistify-storage", [&]() -> mistify::rpc::server& {
    auto store = open_store(directory, pool, group);
    store->space().set(space);
    // Seeds hold secrets, and libarchive keeps what goes into them in a file of this folder meanwhile.
    ::setenv("TMPDIR", std::filesystem::absolute(store->staging()).c_str(), 1); // before any thread
    const auto where = listening.place();
    settings.agent.users = where.allowed;
    return agent.emplace(where, std::move(store), settings).server();
  });
}
