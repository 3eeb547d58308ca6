#include "rpc/agents/storage/fetch.hpp"

#include "rpc/agents/storage/disk_content.hpp"
#include "rpc/agents/storage/qcow2.hpp"

namespace mistify::agents::storage {

namespace {

/// An older stream, or one of several datasets, would bring more than an image into the pool.
void expect_image_in(const zfs_stream& stream) {
  if (!stream.volume || stream.incremental || stream.compound || stream.snapshot.empty())
    throw std::runtime_error{"the source is a zfs stream, but not the whole one of a single volume"};
}

} // namespace

fetch::fetch(order what, const fetch_limits& limits, reader_settings reading, std::function<bool()> stop,
             fetch_progress& progress, bool zfs_streams)
  : max_size_{limits.max_size}, zfs_streams_{zfs_streams}, file_{std::move(what),
                                                                 limits,
                                                                 std::move(reading),
                                                                 {disk_head, [this](std::string_view head) { judge(head); }},
                                                                 std::move(stop),
                                                                 progress} {}

void fetch::judge(std::string_view head) {
  const auto stream = zfs_streams_ ? parse_zfs_stream(head) : std::nullopt;
  is_zfs_ = stream.has_value();
  if (stream)
    expect_image_in(*stream);
  else
    expect_disk(head);
}

std::string fetch::run(const std::filesystem::path& file) {
  file_.run(file);
  if (is_zfs_)
    return "zfs";
  auto format = format_of_image(file, max_size_);
  if (format == "raw")
    expect_disk_end(file);
  return format;
}

std::string format_of_image(const std::filesystem::path& file, std::uint64_t max_size) {
  if (std::filesystem::file_size(file) == 0)
    throw std::runtime_error{"the image is empty"};
  const auto header = read_qcow2(file);
  if (!header)
    return "raw";
  if (!header->backing.empty() || header->external_data)
    throw std::runtime_error{"the image needs another file, which is not allowed"};
  if (header->encrypted)
    throw std::runtime_error{"the image is encrypted"};
  fetching::expect_size(header->size, max_size);
  return "qcow2";
}

} // namespace mistify::agents::storage
