#include "rpc/agents/storage/qcow2.hpp"

#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/base/pread_all.hpp"

#include <cerrno>
#include <endian.h>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>

namespace mistify::agents::storage {

namespace {

constexpr std::size_t max_files = 128; // of a chain
constexpr std::uint64_t offset_mask = 0x00ff'ffff'ffff'fe00;
constexpr std::uint64_t compressed_bit = std::uint64_t{1} << 62, zero_bit = 1;

[[noreturn]] void broken(std::string_view what) {
  throw std::runtime_error{"not a sound qcow2 file: " + std::string{what}};
}

rpc::unique_fd open_for_reading(const std::filesystem::path& file) {
  rpc::unique_fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd)
    throw std::system_error{errno, std::generic_category(), file.filename()};
  return fd;
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

} // namespace

std::filesystem::path file_behind(const std::filesystem::path& file, const qcow2_header& header) {
  return mistify::images::backing_path(file, header).lexically_normal();
}

// -- one file --------------------------------------------------------------------------------------------------------

qcow2_file::qcow2_file(std::filesystem::path file) : path_{std::move(file)}, fd_{open_for_reading(path_)} {
  auto header = read_qcow2(fd_.get());
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
    next = file_behind(file.path(), file.header());
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
