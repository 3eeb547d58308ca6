#include "http/access/token_secret.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <array>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <span>

namespace mistify::http {

namespace {

constexpr std::string_view prefix = "mst_";
constexpr std::size_t id_bytes = 8, secret_bytes = 32;
constexpr std::size_t id_size = 2 * id_bytes, secret_size = 43; // hex, and base64url without padding

using bytes = std::span<const unsigned char>;

template <std::size_t N>
std::array<unsigned char, N> random_bytes() {
  std::array<unsigned char, N> result{};
  if (RAND_bytes(result.data(), static_cast<int>(N)) != 1)
    throw rpc::failure{rpc::errc::internal, "the system has no random bytes"};
  return result;
}

std::string to_hex(bytes from) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto b : from)
    out.append({digits[b >> 4U], digits[b & 15U]});
  return out;
}

/// RFC 4648, section 5, without padding.
std::string to_base64url(bytes from) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const auto b : from) {
    bits = bits << 8U | b;
    for (held += 8; held >= 6; held -= 6)
      out += digits[bits >> (held - 6) & 63U];
  }
  if (held > 0)
    out += digits[bits << (6 - held) & 63U];
  return out;
}

bool is_base64url(char c) {
  return rpc::text::is_digit(c) || (rpc::text::lower(c) >= 'a' && rpc::text::lower(c) <= 'z') || c == '-' || c == '_';
}

bool is_hex(char c) {
  return rpc::text::is_digit(c) || (c >= 'a' && c <= 'f');
}

} // namespace

std::optional<token_parts> parse_token(std::string_view text) noexcept {
  if (!text.starts_with(prefix) || text.size() != prefix.size() + id_size + 1 + secret_size)
    return std::nullopt;
  text.remove_prefix(prefix.size());
  const token_parts parts{text.substr(0, id_size), text.substr(id_size + 1)};
  if (text[id_size] != '_' || !std::ranges::all_of(parts.id, is_hex) ||
      !std::ranges::all_of(parts.secret, is_base64url))
    return std::nullopt;
  return parts;
}

std::string_view bearer_of(std::string_view authorization) noexcept {
  constexpr std::string_view scheme = "bearer ";
  if (!rpc::text::equal_ignoring_case(authorization.substr(0, scheme.size()), scheme))
    return {};
  return rpc::text::trim(authorization.substr(scheme.size()));
}

std::string new_token_id() {
  return to_hex(random_bytes<id_bytes>());
}

std::string new_token_secret() {
  return to_base64url(random_bytes<secret_bytes>());
}

std::string write_token(std::string_view id, std::string_view secret) {
  return std::string{prefix}.append(id).append("_").append(secret);
}

std::string hash_of(std::string_view secret) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(secret.data(), secret.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw rpc::failure{rpc::errc::internal, "SHA-256 failed"};
  return to_hex({digest.data(), size});
}

bool equal_hashes(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace mistify::http
