#include "rpc/fetch/sha256.hpp"

#include "rpc/base/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <new>
#include <openssl/evp.h>
#include <stdexcept>

namespace mistify::fetching {

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

std::string lower(std::string_view text) {
  std::string made{text};
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

/// 64 hexadecimal digits with none beside them.
std::optional<std::string> sum_in(std::string_view line) {
  for (auto at = line.begin(); at != line.end();) {
    const auto begin = std::find_if(at, line.end(), is_hex);
    at = std::find_if_not(begin, line.end(), is_hex);
    if (static_cast<std::size_t>(at - begin) == sum_size)
      return lower({begin, at});
  }
  return std::nullopt;
}

/// "ALGORITHM (NAME) = SUM", as BSD's tools and openssl write it. Null for other lines.
struct tagged_line {
  std::string algorithm;
  std::string_view name;
};
std::optional<tagged_line> tagged(std::string_view line) {
  const auto open = line.find('('), close = line.rfind(')');
  if (open == line.npos || close == line.npos || close < open || line.find('=', close) == line.npos)
    return std::nullopt;
  const auto algorithm = line.substr(0, open);
  if (sum_in(algorithm)) // so it is the name of a file that looks like this
    return std::nullopt;
  return tagged_line{lower(algorithm.substr(0, algorithm.find(' '))), line.substr(open + 1, close - open - 1)};
}

bool is_sha256(const tagged_line& line) {
  return line.algorithm == "sha256" || line.algorithm == "sha2-256" || line.algorithm == "sha-256";
}

/// Whether a line is about the name, or a path that ends in it.
bool names(std::string_view line, std::string_view name) {
  if (name.empty())
    return false;
  if (const auto tag = tagged(line))
    line = tag->name;
  if (!line.ends_with(name))
    return false;
  line.remove_suffix(name.size());
  return line.empty() || std::string_view{" \t*/\\"}.find(line.back()) != line.npos;
}

/// A text among the members that the agent passes on without knowing them; "" where there is none.
std::string text_in(const rpc::json::node& object, std::string_view name) {
  const auto* found = object.find(name);
  return found ? found->as_string(name) : "";
}

} // namespace

std::optional<std::string> find_sha256(std::string_view text, std::string_view name) {
  std::optional<std::string> only;
  std::size_t sums = 0;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (line.ends_with('\r') || line.ends_with(' ') || line.ends_with('\t'))
      line.remove_suffix(1);
    const auto tag = tagged(line);
    auto sum = sum_in(tag ? line.substr(line.rfind('=')) : line);
    if (!sum || (tag && !is_sha256(*tag)))
      continue;
    if (names(line, name))
      return sum;
    ++sums;
    only = sum;
  }
  return sums == 1 ? only : std::nullopt;
}

std::string wanted_sum(const rpc::image_request& request) {
  std::string sum;
  if (const auto own = request.extra.find("sha256"); own != request.extra.end())
    sum = rpc::json::document::parse(own->second).root().as_string("sha256");
  if (const auto args = request.extra.find("args"); sum.empty() && args != request.extra.end())
    sum = text_in(rpc::json::document::parse(args->second).root(), "sha256");
  if (sum.empty())
    return {};
  const auto valid = find_sha256(sum, "");
  if (!valid || valid->size() != sum.size())
    throw std::invalid_argument{"sha256: must be 64 hexadecimal digits"};
  return *valid;
}

} // namespace mistify::fetching
