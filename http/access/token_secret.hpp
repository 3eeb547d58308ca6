#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Bearer tokens as clients carry them: "mst_ID_SECRET". Thread-safe.
namespace mistify::http {

/// A token of a client, cut into its parts.
struct token_parts {
  std::string_view id, secret;
};

/// Null for anything that is no token.
std::optional<token_parts> parse_token(std::string_view text) noexcept;

/// The token of "Bearer TOKEN" (RFC 6750, section 2.1), or "" if the header's value is none.
std::string_view bearer_of(std::string_view authorization) noexcept;

/// A new id, and a new secret of 32 random bytes. Throws `failure{internal}` if the system has no random bytes.
std::string new_token_id();
std::string new_token_secret();

/// "mst_ID_SECRET"
std::string write_token(std::string_view id, std::string_view secret);

/// SHA-256 in lower-case hex. The secret is random, so that a slow hash would add nothing.
std::string hash_of(std::string_view secret);

/// Compares in a time that does not depend on where they differ.
bool equal_hashes(std::string_view a, std::string_view b) noexcept;

} // namespace mistify::http
