#include "rpc/agents/container/tar_index.hpp"

#include "rpc/base/pread_all.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>

namespace mistify::agents::container {

namespace {

// POSIX.1-2001, "ustar Interchange Format".
constexpr std::size_t name_size = 100, size_at = 124, number_size = 12, sum_at = 148, sum_size = 8, type_at = 156,
                      magic_at = 257, link_at = 157, link_size = 100, prefix_at = 345, prefix_size = 155;
constexpr std::size_t most_entries = 100'000;
constexpr std::size_t most_extension = 64 * 1024;
constexpr std::size_t longest_name = 4096;
constexpr std::size_t most_names = 16 * 1024 * 1024; ///< bytes of all names
constexpr std::uint64_t octal_end = 1ULL << 33;      ///< eleven octal digits hold less

[[noreturn]] void broken(const char* why) {
  throw std::runtime_error{std::string{"the archive is no sound tar file: "} + why};
}

std::string text_at(const std::string& head, std::size_t at, std::size_t size) {
  const auto text = head.substr(at, size);
  return text.substr(0, text.find('\0'));
}

/// Octal digits, or base 256 where the first bit is set (GNU).
std::uint64_t number_at(const std::string& head, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  if (static_cast<unsigned char>(head[at]) & 0x80U) {
    for (std::size_t i = at + size - 8; i < at + size; ++i)
      number = number << 8 | static_cast<unsigned char>(head[i]);
    return number;
  }
  for (std::size_t i = at; i < at + size; ++i) {
    const char c = head[i];
    if (c >= '0' && c <= '7')
      number = number << 3 | static_cast<std::uint64_t>(c - '0');
    else if (c != ' ' && c != '\0')
      broken("a number is none");
  }
  return number;
}

void put_large(std::string& head, std::uint64_t size) {
  head[size_at] = '\x80';
  for (std::size_t i = size_at + number_size; size > 0; size >>= 8)
    head[--i] = static_cast<char>(size & 0xffU);
}

std::uint64_t sum_of(const std::string& head) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < head.size(); ++i)
    sum += i >= sum_at && i < sum_at + sum_size ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(head[i]);
  return sum;
}

std::string plain_name(std::string name) {
  while (name.starts_with("./"))
    name.erase(0, 2);
  const std::filesystem::path path{name};
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end())
    broken("a name leads out of it");
  return name;
}

/// Hard links lead from the archive's root, symbolic ones from the folder of their own name.
std::string link_target(char type, const std::string& name, const std::string& target) {
  if (target.empty())
    return {};
  const auto folder = type == '2' ? std::filesystem::path{name}.parent_path() : std::filesystem::path{};
  return (folder / target).lexically_normal().string();
}

/// The records of an extended head: "LENGTH KEY=VALUE\n".
template <class F>
void each_record(std::string_view records, F f) {
  while (!records.empty()) {
    std::size_t length = 0;
    const auto [end, failed] = std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<std::size_t>(end - records.data());
    if (failed != std::errc{} || length <= digits + 1 || length > records.size())
      return;
    const auto record = records.substr(digits + 1, length - digits - 2);
    if (const auto equals = record.find('='); equals != record.npos)
      f(record.substr(0, equals), record.substr(equals + 1));
    records.remove_prefix(length);
  }
}

} // namespace

bool is_tar_head(std::string_view head) noexcept {
  return head.size() >= tar_block && head.substr(magic_at).starts_with("ustar");
}

std::string tar_head(std::string_view name, std::uint64_t size) {
  std::string head(tar_block, '\0');
  name.copy(head.data(), name_size);
  const auto put = [&](std::size_t at, const char* format, unsigned long long value) {
    std::array<char, 32> text{};
    const auto length = std::snprintf(text.data(), text.size(), format, value);
    std::copy_n(text.data(), length, head.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(100, "%07llo", 0644); // mode, user, group
  put(108, "%07llo", 0);
  put(116, "%07llo", 0);
  if (size < octal_end)
    put(size_at, "%011llo", size);
  else
    put_large(head, size);
  put(136, "%011llo", 0); // time
  head[type_at] = '0';
  head.replace(magic_at, 8, std::string_view{"ustar\00000", 8});
  put(sum_at, "%06llo", sum_of(head));
  head[sum_at + 7] = ' ';
  return head;
}

tar_index::tar_index(const std::filesystem::path& file) : fd_{::open(file.c_str(), O_RDONLY | O_CLOEXEC)} {
  struct stat facts {};
  if (!fd_ || ::fstat(fd_.get(), &facts) != 0)
    throw std::system_error{errno, std::generic_category(), file.filename()};
  size_ = static_cast<std::uint64_t>(facts.st_size);
  scan();
}

std::size_t tar_index::read_at(std::uint64_t offset, char* to, std::size_t size) const {
  return rpc::read_at(fd_.get(), offset, to, size);
}

void tar_index::scan() {
  for (std::uint64_t at = 0; at < size_;) {
    std::string head(tar_block, '\0');
    if (read_at(at, head.data(), head.size()) != head.size())
      broken("it is cut off");
    if (head.find_first_not_of('\0') == head.npos)
      return; // two blocks of zeros end it
    if (number_at(head, sum_at, sum_size) != sum_of(head))
      broken("a sum is wrong");
    at = take(at, head);
    if (entries_.size() > most_entries)
      broken("it has too many entries");
  }
}

/// Returns where the next head is.
std::uint64_t tar_index::take(std::uint64_t at, const std::string& head) {
  entry e{.data = at + tar_block};
  const char type = head[type_at];
  const bool is_extension = type == 'L' || type == 'K' || type == 'x' || type == 'g';
  e.size = !is_extension && long_size_ > 0 ? long_size_ : number_at(head, size_at, number_size);
  if (e.size > size_ || padded(e.size) > size_ - e.data)
    broken("it is cut off");
  const auto end = e.data + padded(e.size);
  if (is_extension) {
    take_extension(type, read(e, most_extension));
    return end;
  }
  long_size_ = 0;
  take_names(e, head);
  e.is_file = type == '0' || type == '\0';
  entries_.push_back(std::move(e));
  return end;
}

void tar_index::take_extension(char type, const std::string& text) {
  if (type == 'L')
    long_name_ = text.substr(0, text.find('\0'));
  if (type == 'K')
    long_link_ = text.substr(0, text.find('\0'));
  if (type == 'x')
    each_record(text, [&](std::string_view key, std::string_view value) {
      if (key == "path")
        long_name_ = value;
      if (key == "linkpath")
        long_link_ = value;
      if (key == "size")
        std::from_chars(value.data(), value.data() + value.size(), long_size_);
    });
}

void tar_index::take_names(entry& e, const std::string& head) {
  const auto prefix = head.compare(magic_at, 6, std::string_view{"ustar\0", 6}) == 0
                        ? text_at(head, prefix_at, prefix_size)
                        : std::string{};
  auto name = std::exchange(long_name_, {});
  auto target = std::exchange(long_link_, {});
  if (name.empty())
    name = (prefix.empty() ? "" : prefix + '/') + text_at(head, 0, name_size);
  if (target.empty())
    target = text_at(head, link_at, link_size);
  if (name.size() > longest_name || target.size() > longest_name)
    broken("a name is too long");
  e.name = plain_name(std::move(name));
  if (const char type = head[type_at]; type == '1' || type == '2')
    e.link = link_target(type, e.name, target);
  names_size_ += e.name.size() + e.link.size();
  if (names_size_ > most_names)
    broken("its names are too long");
}

const tar_index::entry* tar_index::find(std::string_view name) const noexcept {
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at)
    if (at->is_file && at->name == name)
      return &*at;
  return nullptr;
}

const tar_index::entry* tar_index::follow(std::string_view name) const noexcept {
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at)
    if (at->name == name && (at->is_file || !at->link.empty()))
      return at->is_file ? &*at : find(at->link);
  return nullptr;
}

std::string tar_index::read(const entry& e, std::size_t most) const {
  if (e.size > most)
    throw std::runtime_error{"the archive's " + (e.name.empty() ? "extended head" : e.name) + " is too large"};
  std::string text(static_cast<std::size_t>(e.size), '\0');
  if (read_at(e.data, text.data(), text.size()) != text.size())
    broken("it is cut off");
  return text;
}

} // namespace mistify::agents::container
