#include "store/guest_tag.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"
#include "rpc/model/members.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace mistify::store {

namespace {

/// Change without anybody's wish.
constexpr std::array<std::string_view, 3> left_out{"state", "state_reason", "wanted"};

/// 128 bits: enough that no two documents of a guest share a tag.
constexpr std::size_t tag_bytes = 16;

std::string counted_text(std::string_view doc) {
  std::string text;
  text.reserve(doc.size());
  rpc::for_each_member(doc, [&](std::string_view name, std::string_view value) {
    if (std::ranges::find(left_out, name) == left_out.end())
      text.append(name).append(":").append(value).append(",");
  });
  return text;
}

} // namespace

std::string guest_tag(std::string_view doc, std::string_view key) {
  const auto text = counted_text(doc);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest.data(), &size);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string tag{'"'};
  for (std::size_t i = 0; i < tag_bytes; ++i) {
    tag += digits[digest[i] >> 4U];
    tag += digits[digest[i] & 15U];
  }
  tag += '"';
  return tag;
}

bool matches(std::string_view if_match, std::string_view tag) {
  while (!if_match.empty()) {
    const auto comma = std::min(if_match.find(','), if_match.size());
    const auto one = rpc::text::trim(if_match.substr(0, comma));
    if (one == tag || one == "*")
      return true;
    if_match.remove_prefix(std::min(if_match.size(), comma + 1));
  }
  return false;
}

void expect_match(std::string_view if_match, std::string_view tag) {
  if (!matches(if_match, tag))
    throw rpc::failure{rpc::errc::precondition_failed, "the guest has changed: its ETag is none of If-Match"};
}

} // namespace mistify::store
