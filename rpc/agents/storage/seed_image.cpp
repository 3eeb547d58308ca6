#include "rpc/agents/storage/seed.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <stdexcept>
#include <string_view>

namespace mistify::agents::storage {

namespace {

constexpr std::string_view label = "cidata";

struct close_archive {
  void operator()(archive* a) const noexcept { ::archive_write_free(a); }
  void operator()(archive_entry* e) const noexcept { ::archive_entry_free(e); }
};
using archive_ptr = std::unique_ptr<archive, close_archive>;
using entry_ptr = std::unique_ptr<archive_entry, close_archive>;

void must(archive* of, la_ssize_t result) {
  if (result < ARCHIVE_OK) {
    const auto* why = ::archive_error_string(of);
    throw std::runtime_error{std::string{"the seed cannot be made: "} + (why ? why : "out of memory")};
  }
}

la_ssize_t take(archive*, void* to, const void* bytes, std::size_t size) {
  try {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
  } catch (const std::bad_alloc&) {
    return -1; // not through the library's frames
  }
}

void add(archive* to, const char* name, const std::string& text) {
  constexpr mode_t readable = 0444;
  const entry_ptr entry{::archive_entry_new()};
  if (!entry)
    throw std::bad_alloc{};
  ::archive_entry_set_pathname(entry.get(), name);
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  ::archive_entry_set_perm(entry.get(), readable);
  ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
  ::archive_entry_set_mtime(entry.get(), 0, 0);
  must(to, ::archive_write_header(to, entry.get()));
  if (!text.empty())
    must(to, ::archive_write_data(to, text.data(), text.size()));
}

/// The library writes it in capitals, as ISO 9660 has it; others do not.
void set_label(std::string& image) {
  constexpr std::size_t descriptor = 16 * 2048, at = descriptor + 40, length = 32;
  if (image.size() < at + length || image.compare(descriptor, 6,
                                                  "\x01"
                                                  "CD001",
                                                  6) != 0)
    throw std::runtime_error{"the seed cannot be made: no volume descriptor"};
  image.replace(at, length, std::string{label} + std::string(length - label.size(), ' '));
}

} // namespace

std::string build_seed(const seed_files& files) {
  std::string image;
  const archive_ptr out{::archive_write_new()};
  if (!out)
    throw std::bad_alloc{};
  auto* const a = out.get();
  must(a, ::archive_write_set_format_iso9660(a));
  must(a, ::archive_write_set_format_option(a, "iso9660", "volume-id", label.data()));
  must(a, ::archive_write_set_bytes_per_block(a, 0));
  must(a, ::archive_write_open(a, &image, nullptr, take, nullptr));
  add(a, "user-data", files.user_data);
  add(a, "meta-data", files.meta_data);
  if (!files.network_config.empty())
    add(a, "network-config", files.network_config);
  must(a, ::archive_write_close(a));
  set_label(image);
  return image;
}

} // namespace mistify::agents::storage
