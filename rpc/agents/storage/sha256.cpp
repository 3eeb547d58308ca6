#include "rpc/agents/storage/sha256.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <new>
#include <openssl/evp.h>

namespace mistify::agents::storage {

sha256::sha256() : context_{EVP_MD_CTX_new()} {
  if (!context_)
    throw std::bad_alloc{};
  restart();
}

sha256::~sha256() {
  EVP_MD_CTX_free(context_);
}

void sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(context_, bytes.data(), bytes.size());
}

void sha256::restart() {
  EVP_DigestInit_ex(context_, EVP_sha256(), nullptr);
}

std::string sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context_, sum.data(), &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    constexpr auto digits = "0123456789abcdef";
    text += digits[sum[i] >> 4];
    text += digits[sum[i] & 15];
  }
  return text;
}

namespace {

constexpr std::size_t sum_size = 64;

bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}

/// 64 hexadecimal digits with none beside them.
std::optional<std::string> sum_in(std::string_view line) {
  for (auto at = line.begin(); at != line.end();) {
    const auto begin = std::find_if(at, line.end(), is_hex);
    at = std::find_if_not(begin, line.end(), is_hex);
    if (static_cast<std::size_t>(at - begin) != sum_size)
      continue;
    std::string sum{begin, at};
    std::transform(sum.begin(), sum.end(), sum.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return sum;
  }
  return std::nullopt;
}

bool names(std::string_view line, std::string_view name) {
  return line.ends_with(' ' + std::string{name}) || line.ends_with('*' + std::string{name}) ||
         line.find('(' + std::string{name} + ')') != line.npos;
}

} // namespace

std::optional<std::string> find_sha256(std::string_view text, std::string_view name) {
  std::optional<std::string> first;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (line.ends_with('\r') || line.ends_with(' '))
      line.remove_suffix(1);
    auto sum = sum_in(line);
    if (sum && names(line, name))
      return sum;
    if (!first)
      first = sum;
  }
  return first;
}

} // namespace mistify::agents::storage
