#pragma once

#include <string>
#include <string_view>

/// Tags of guests for ETag and If-Match (RFC 9110, sections 8.8.3 and 13.1.1).
namespace mistify::store {

/// A strong entity tag, with its quotes: it changes with every member of the guest but `state`, `state_reason` and
/// `wanted`. `doc` is a guest's stored document. `key` is the database's: without it, the tag would let a client that
/// reads the guest try out values of members that it may not see.
std::string guest_tag(std::string_view doc, std::string_view key);

/// True if a value of If-Match names the tag, or is `*`. Weak tags never match.
bool matches(std::string_view if_match, std::string_view tag);

/// Throws `failure{precondition_failed}` unless `if_match` names the guest's tag.
void expect_match(std::string_view if_match, std::string_view tag);

} // namespace mistify::store
