#include "rpc/agents/storage/disk_stream.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace mistify::agents::storage {

namespace {

constexpr std::size_t block = 512;

std::string octal(std::uint64_t value, int digits) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
  return text;
}

/// Eleven octal digits, or for what is over 8 GiB the number itself behind a byte that says so, as GNU tar and POSIX' heirs
/// read it.
std::string size_field(std::uint64_t size) {
  if (size < std::uint64_t{1} << 33)
    return octal(size, 11);
  std::string field(12, '\0');
  field[0] = '\x80';
  for (std::size_t i = 11; i > 3; --i, size >>= 8)
    field[i] = static_cast<char>(size & 0xff);
  return field;
}

std::string head_of(const std::string& name, std::uint64_t size) {
  std::string head(block, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { head.replace(at, text.size(), text); };
  put(0, name.substr(0, 99));
  put(100, "0000600");
  put(108, "0000000"); // owner, group
  put(116, "0000000");
  put(124, size_field(size));
  put(136, octal(0, 11)); // when: a snapshot has no time of its own here
  put(148, "        ");   // the sum counts itself as spaces
  put(156, "0");
  put(257, std::string{"ustar\0"
                       "00",
                       8});
  unsigned sum = 0;
  for (const unsigned char c : head)
    sum += c;
  put(148, octal(sum, 6) + '\0');
  return head;
}

std::string padding_of(std::uint64_t size) {
  return std::string((block - size % block) % block, '\0');
}

} // namespace

byte_stream tar_stream(std::vector<std::pair<std::string, byte_stream>> files) {
  const std::string end(2 * block, '\0');
  std::uint64_t length = end.size();
  for (const auto& [name, content] : files) {
    const auto size = static_cast<std::uint64_t>(content.length);
    length += block + size + padding_of(size).size();
  }
  const auto shared = std::make_shared<decltype(files)>(std::move(files));
  return {static_cast<std::int64_t>(length), [shared, end](const byte_stream::sink& write) {
            const auto send = [&](const auto& file) {
              const auto size = static_cast<std::uint64_t>(file.second.length);
              return write(head_of(file.first, size)) && file.second.write(write) && write(padding_of(size));
            };
            return std::all_of(shared->begin(), shared->end(), send) && write(end);
          }};
}

} // namespace mistify::agents::storage
