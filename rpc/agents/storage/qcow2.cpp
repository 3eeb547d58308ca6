#include "rpc/agents/storage/qcow2.hpp"

#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/read_at.hpp"

#include <cerrno>
#include <endian.h>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>

namespace mistify::agents::storage {

namespace {

constexpr std::size_t max_files = 128; // of a chain
constexpr std::uint64_t max_size = std::uint64_t{1} << 50;
constexpr std::uint64_t offset_mask = 0x00ff'ffff'ffff'fe00;
constexpr std::uint64_t compressed_bit = std::uint64_t{1} << 62, zero_bit = 1;
constexpr std::uint64_t dirty_bit = 1, external_data_bit = 4;

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

rpc::unique_fd open_for_reading(const std::filesystem::path& file) {
  rpc::unique_fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd)
    throw std::system_error{errno, std::generic_category(), file.filename()};
  return fd;
}

/// As many bytes as there are, up to `size`.
std::string text_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(rpc::read_at(fd, offset, bytes.data(), size));
  return bytes;
}

std::vector<std::uint64_t> read_table(int fd, std::uint64_t offset, std::size_t entries) {
  std::vector<std::uint64_t> table(entries);
  const auto size = entries * sizeof(std::uint64_t);
  if (rpc::read_at(fd, offset, reinterpret_cast<char*>(table.data()), size) != size)
    broken("a table is beyond its end");
  for (auto& entry : table)
    entry = be64toh(entry);
  return table;
}

constexpr std::size_t head_size = 4096;

} // namespace

std::optional<qcow2_header> parse_qcow2(std::string_view bytes) {
  if (!bytes.starts_with("QFI\xfb") || bytes.size() < 72)
    return std::nullopt;
  const auto version = big_endian<std::uint32_t>(bytes, 4);
  if (version != 2 && version != 3)
    broken("version " + std::to_string(version));
  if (version == 3 && bytes.size() < 104)
    broken("its head ends early");
  qcow2_header h;
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
  if (h.size > max_size || h.l1_entries > (std::uint64_t{32} << 20) / 8)
    broken("it is too large");
  const auto backing_offset = big_endian<std::uint64_t>(bytes, 8);
  const auto backing_size = big_endian<std::uint32_t>(bytes, 16);
  if (backing_offset != 0) {
    if (backing_size == 0 || backing_size > 1023 || backing_offset > bytes.size() ||
        backing_size > bytes.size() - backing_offset)
      broken("the name of its backing file is not where it should be");
    h.backing = bytes.substr(backing_offset, backing_size);
  }
  return h;
}

std::optional<qcow2_header> read_qcow2(const std::filesystem::path& file) {
  return parse_qcow2(text_at(open_for_reading(file).get(), 0, head_size));
}

std::filesystem::path backing_path(const std::filesystem::path& file, const qcow2_header& header) {
  return (file.parent_path() / header.backing).lexically_normal();
}

// -- one file --------------------------------------------------------------------------------------------------------

qcow2_file::qcow2_file(std::filesystem::path file) : path_{std::move(file)}, fd_{open_for_reading(path_)} {
  auto header = parse_qcow2(text_at(fd_.get(), 0, head_size));
  if (!header)
    broken(path_.filename().string());
  if (header->encrypted || header->unknown_features)
    throw std::runtime_error{path_.filename().string() + ": uses features of qcow2 that the store does not"};
  header_ = std::move(*header);
  l1_ = read_table(fd_.get(), header_.l1_offset, header_.l1_entries);
}

void qcow2_file::load_l2(std::uint64_t index) {
  if (l2_index_ == index)
    return;
  const auto offset = l1_[index] & offset_mask;
  const auto entries = header_.cluster() / sizeof(std::uint64_t);
  l2_ = offset == 0 ? std::vector<std::uint64_t>{} : read_table(fd_.get(), offset, entries);
  l2_index_ = index;
}

qcow2_file::cluster qcow2_file::find(std::uint64_t number) {
  const auto entries = header_.cluster() / sizeof(std::uint64_t);
  if (number * header_.cluster() >= header_.size)
    return {kind::zero, 0}; // a backing file that is shorter than what is on it
  if (number / entries >= l1_.size())
    broken("its first table is too short");
  load_l2(number / entries);
  const auto entry = l2_.empty() ? 0 : l2_[number % entries];
  if ((entry & compressed_bit) != 0)
    throw std::runtime_error{path_.filename().string() + ": has compressed clusters, which the store never makes"};
  if ((entry & zero_bit) != 0)
    return {kind::zero, 0};
  if ((entry & offset_mask) == 0)
    return {};
  return {kind::data, entry & offset_mask};
}

// -- a chain of files ------------------------------------------------------------------------------------------------

qcow2_chain::qcow2_chain(const std::filesystem::path& top) {
  for (auto next = top;;) {
    const auto& file = files_.emplace_back(next);
    lock_for_reading(file.fd());
    if (file.header().cluster() != files_.front().header().cluster())
      throw std::runtime_error{file.path().filename().string() + ": has clusters of another size"};
    if (file.header().backing.empty())
      return;
    if (files_.size() == max_files)
      throw std::runtime_error{"too many files behind one another"};
    next = backing_path(file.path(), file.header());
  }
}

qcow2_chain::place qcow2_chain::find(std::uint64_t number) {
  for (auto& file : files_) {
    const auto found = file.find(number);
    if (found.is == qcow2_file::kind::data)
      return {file.fd(), found.offset};
    if (found.is == qcow2_file::kind::zero)
      break;
  }
  return {};
}

} // namespace mistify::agents::storage
