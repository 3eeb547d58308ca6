#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mistify::test {

/// Makes qcow2 headers in which every field may be invalid.
struct qcow2_maker {
  std::string backing = {}, backing_format = "qcow2", data_file = {};
  std::uint64_t features = 0, size = 1 << 20;
  std::uint32_t version = 3, cluster_bits = 16, head_length = 104, l1_entries = 1;

  template <class T>
  static std::string number(T value) {
    std::string text;
    for (int shift = sizeof(T) * 8 - 8; shift >= 0; shift -= 8)
      text += static_cast<char>(value >> shift & 0xff);
    return text;
  }

  std::string bytes() const {
    auto more = extension(0xe2792aca, backing_format) + extension(0x44415441, data_file) + std::string(8, '\0');
    const auto name_at = backing.empty() ? 0 : head_length + more.size();
    auto head = std::string{"QFI\xfb"} + number(version) + number(std::uint64_t{name_at}) +
                number(static_cast<std::uint32_t>(backing.size())) + number(cluster_bits) + number(size) +
                number(std::uint32_t{0}) + number(l1_entries) + number(std::uint64_t{196608}) +
                number(std::uint64_t{65536}) + number(std::uint32_t{1}) + number(std::uint32_t{0}) +
                number(std::uint64_t{0}) + number(features) + number(std::uint64_t{0}) + number(std::uint64_t{0}) +
                number(std::uint32_t{4}) + number(head_length);
    return head + more + backing;
  }

private:
  static std::string extension(std::uint32_t type, const std::string& text) {
    if (text.empty())
      return {};
    auto bytes = number(type) + number(static_cast<std::uint32_t>(text.size())) + text;
    bytes.resize((bytes.size() + 7) / 8 * 8, '\0');
    return bytes;
  }
};

} // namespace mistify::test
