#pragma once

#include "rpc/base/json.hpp"

#include <cstdint>
#include <string_view>

/// For the sources of rpc/base/json.hpp only.
namespace mistify::rpc::json {

/// A value as the parser stores it. 24 bytes and trivially copyable: a body of one-digit numbers needs about a dozen
/// times its own size.
struct node::data : node {
  const char* key_data = nullptr; // of a member: its key
  const void* content = nullptr;  // characters of a string or number, children (data[]) of a container
  std::uint32_t key_size = 0;
  std::uint32_t size : 29 = 0; // of `content`; 0 or 1 for a boolean
  std::uint32_t tag : 3 = 0;   // the kind

  static const data& of(const node& n) noexcept { return static_cast<const data&>(n); }

  std::string_view key() const noexcept { return {key_data, key_size}; }
  std::string_view characters() const noexcept { return {static_cast<const char*>(content), size}; }
  const data* begin() const noexcept { return static_cast<const data*>(content); }
  const data* end() const noexcept { return begin() + size; }
};

} // namespace mistify::rpc::json
