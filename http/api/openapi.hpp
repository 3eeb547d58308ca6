#pragma once

#include "http/api/router.hpp"
#include "rpc/base/json.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

/// The files of http/api, whole; the build puts them in (`embed` in CMakeLists.txt).
extern const std::span<const std::string_view> api_parts;

/// The description of the API in OpenAPI 3.1: what the parts say of each row of the table.
///
/// A part is an object with `operations`, by "METHOD /pattern", their `tag`, and the `components` that they use, all as
/// OpenAPI has them. What follows from the row is added here and written nowhere else: the parameters of its captures,
/// what any request may have or end in. `errors` of an operation are the others: 404 stands for
/// `#/components/responses/404`. The one part with `info` has what belongs to the whole.
class api_description {
public:
  /// Throws `failure` where a part is no such object. The texts are not needed any longer.
  explicit api_description(std::span<const std::string_view> parts);

  /// "GET /guests", for all that is described.
  std::vector<std::string> operations() const;

  /// The document. Rows that are not described are left out, and so is what is described and no row.
  std::string of(const std::vector<route>& table) const;

private:
  struct entry {
    std::string tag;
    const rpc::json::node* text;
  };

  void write_paths(rpc::json::writer& out, const std::vector<route>& table) const;
  void write_components(rpc::json::writer& out) const;

  std::vector<rpc::json::document> parts_; // owns what the others point to
  const rpc::json::node* whole_ = nullptr;
  std::map<std::string, entry, std::less<>> operations_;
  std::map<std::string, std::vector<const rpc::json::node*>> components_; ///< by kind, such as "schemas"
};

} // namespace mistify::http
