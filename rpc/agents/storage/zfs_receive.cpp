#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/disk_content.hpp"
#include "rpc/agents/storage/zfs_store.hpp"

#include <fstream>

namespace mistify::agents::storage {

namespace {

zfs_stream stream_in(const std::filesystem::path& file) {
  std::string head(disk_head, '\0');
  std::ifstream in{file, std::ios::binary};
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  const auto stream = parse_zfs_stream(head);
  if (!stream)
    throw std::runtime_error{"no zfs stream"};
  return *stream;
}

} // namespace

/// The stream names its snapshot as its sender did. Its name becomes an argument, so it is checked before.
void zfs_store::receive(const std::filesystem::path& file, const std::string& staged, const std::string& property,
                        const std::function<bool()>& stop) const {
  const auto stream = stream_in(file);
  expect_snapshot_name(stream.snapshot);
  run({settings_.command, "receive", "-u", staged}, {.time = copying_time, .input = file, .stop = stop});
  if (zfs_if_there({"list", "-H", "-t", "volume", "-o", "name", staged}).empty())
    throw std::runtime_error{"the zfs stream holds no volume"};
  if (const auto received = staged + '@' + stream.snapshot; received != staged + base_snapshot)
    zfs({"rename", received, staged + base_snapshot});
  zfs({"set", property, staged});
}

} // namespace mistify::agents::storage
