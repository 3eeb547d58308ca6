#include "rpc/etcd/base64.hpp"

#include <cstddef>
#include <cstdint>

namespace mistify::rpc::etcd {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t bytes_of_group = 3, letters_of_group = 4;

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

} // namespace

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / bytes_of_group * letters_of_group);
  for (std::size_t at = 0; at < bytes.size(); at += bytes_of_group) {
    const auto group = byte_at(bytes, at) << 16U | byte_at(bytes, at + 1) << 8U | byte_at(bytes, at + 2);
    const auto left = bytes.size() - at;
    out += alphabet[group >> 18U];
    out += alphabet[group >> 12U & 63U];
    out += left > 1 ? alphabet[group >> 6U & 63U] : '=';
    out += left > 2 ? alphabet[group & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % letters_of_group != 0)
    return std::nullopt;
  const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
  std::string out;
  out.reserve(text.size() / letters_of_group * bytes_of_group);
  std::uint32_t group = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto value = at + padding >= text.size() ? 0 : alphabet.find(text[at]);
    if (value == alphabet.npos)
      return std::nullopt;
    group = group << 6U | static_cast<std::uint32_t>(value);
    if (at % letters_of_group != letters_of_group - 1)
      continue;
    for (const auto shift : {16U, 8U, 0U})
      out += static_cast<char>(group >> shift & 0xffU);
    group = 0;
  }
  out.resize(out.size() - padding);
  return out;
}

} // namespace mistify::rpc::etcd
