#pragma once

#include "rpc/model/model.hpp"

#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace mistify::fetching {

/// The SHA-256 of bytes that come piece by piece.
class sha256 {
public:
  sha256();
  ~sha256();
  sha256(const sha256&) = delete;
  sha256& operator=(const sha256&) = delete;

  void add(std::string_view bytes);
  /// Forgets what was added.
  void restart();
  /// 64 lower-case digits. Nothing can be added behind it.
  std::string hex();

private:
  evp_md_ctx_st* context_;
};

/// The sum in a text as `sha256sum` and its kin write it: "SUM  NAME", "SUM *NAME", "SHA256 (NAME) = SUM" or "SUM" alone. Of
/// several lines the one that is about that name, whatever folder stands before it; where none is, the only sum that there
/// is. Lower case. Null where there is none.
std::optional<std::string> find_sha256(std::string_view text, std::string_view name);

/// The sum that a request wants of its source: the member `sha256`, else the stage's arg of that name; lower case, "" for none.
/// Throws std::invalid_argument for what is no sum.
std::string wanted_sum(const rpc::image_request& request);

} // namespace mistify::fetching
