#include "rpc/images/qcow2_header.hpp"

#include "rpc/base/pread_all.hpp"
#include "rpc/images/store_file.hpp"

#include <stdexcept>

namespace mistify::images {

namespace {

constexpr std::uint64_t max_size = std::uint64_t{1} << 50;
constexpr std::uint64_t max_l1_entries = (std::uint64_t{32} << 20) / 8; // as in QEMU
constexpr std::size_t max_name = 1023;                                  // as in QEMU
constexpr std::uint64_t dirty_bit = 1, external_data_bit = 4;
constexpr std::size_t size_of_v2 = 72, size_of_v3 = 104;

template <class T>
T big_endian(std::string_view from, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(from.at(at + i)));
  return value;
}

[[noreturn]] void broken(std::string_view what) {
  throw std::runtime_error{"not a sound qcow2 file: " + std::string{what}};
}

void read_numbers(qcow2_header& h, std::string_view bytes, std::uint32_t version) {
  h.cluster_bits = big_endian<std::uint32_t>(bytes, 20);
  h.size = big_endian<std::uint64_t>(bytes, 24);
  h.encrypted = big_endian<std::uint32_t>(bytes, 32) != 0;
  h.l1_entries = big_endian<std::uint32_t>(bytes, 36);
  h.l1_offset = big_endian<std::uint64_t>(bytes, 40);
  h.snapshots = big_endian<std::uint32_t>(bytes, 60) != 0;
  const auto features = version == 3 ? big_endian<std::uint64_t>(bytes, 72) : 0;
  h.external_data = (features & external_data_bit) != 0;
  h.unknown_features = (features & ~dirty_bit) != 0;
  if (h.cluster_bits < 9 || h.cluster_bits > 21)
    broken("its clusters are of no size");
  if (h.size > max_size || h.l1_entries > max_l1_entries)
    broken("it is too large");
}

void read_backing_name(qcow2_header& h, std::string_view bytes) {
  const auto offset = big_endian<std::uint64_t>(bytes, 8);
  const auto size = big_endian<std::uint32_t>(bytes, 16);
  if (offset == 0)
    return;
  if (size == 0 || size > max_name || offset > bytes.size() || size > bytes.size() - offset)
    broken("the name of its backing file is not where it should be");
  h.backing = bytes.substr(offset, size);
}

/// Returns the header extensions, which lie between the header and the backing file's name or the end of the first
/// cluster.
std::string_view extensions_in(std::string_view bytes, const qcow2_header& h, std::uint32_t version) {
  const auto begin = version == 3 ? big_endian<std::uint32_t>(bytes, 100) : std::uint32_t{size_of_v2};
  if (version == 3 && (begin < size_of_v3 || begin % 8 != 0 || begin > h.cluster()))
    broken("its head is of no length");
  const auto name = big_endian<std::uint64_t>(bytes, 8);
  auto end = std::min<std::uint64_t>(bytes.size(), h.cluster());
  if (name != 0)
    end = std::min(end, name);
  return begin < end ? bytes.substr(begin, end - begin) : std::string_view{};
}

void read_extensions(qcow2_header& h, std::string_view rest) {
  constexpr std::uint32_t backing_format = 0xe2792aca, data_file = 0x44415441;
  while (rest.size() >= 8) {
    const auto type = big_endian<std::uint32_t>(rest, 0);
    const std::uint64_t size = big_endian<std::uint32_t>(rest, 4);
    if (type == 0)
      return;
    rest.remove_prefix(8);
    if (size > rest.size())
      broken("an extension of its head has no end");
    if (type == backing_format)
      h.backing_format = rest.substr(0, size);
    else if (type == data_file)
      h.data_file = rest.substr(0, size);
    rest.remove_prefix(std::min<std::uint64_t>((size + 7) / 8 * 8, rest.size()));
  }
}

} // namespace

bool begins_like_qcow2(std::string_view bytes) noexcept {
  return bytes.starts_with("QFI\xfb");
}

std::optional<qcow2_header> parse_qcow2(std::string_view bytes) {
  if (!begins_like_qcow2(bytes))
    return std::nullopt;
  if (bytes.size() < size_of_v2)
    broken("its head ends early");
  const auto version = big_endian<std::uint32_t>(bytes, 4);
  if (version != 2 && version != 3)
    broken("version " + std::to_string(version));
  if (version == 3 && bytes.size() < size_of_v3)
    broken("its head ends early");
  qcow2_header h;
  read_numbers(h, bytes, version);
  read_backing_name(h, bytes);
  read_extensions(h, extensions_in(bytes, h, version));
  return h;
}

std::optional<qcow2_header> read_qcow2(int fd) {
  std::string bytes(qcow2_head_size, '\0');
  bytes.resize(rpc::read_at(fd, 0, bytes.data(), bytes.size()));
  return parse_qcow2(bytes);
}

std::optional<qcow2_header> read_qcow2(const std::filesystem::path& file) {
  return read_qcow2(open_disk(file).fd.get());
}

} // namespace mistify::images
