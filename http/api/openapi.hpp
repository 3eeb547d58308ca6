#pragma once

#include "http/api/router.hpp"
#include "rpc/base/json.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

/// The content of http/api/descriptions; the build embeds the files (`embed` in CMakeLists.txt).
extern const std::span<const std::string_view> api_parts;

/// The API description in OpenAPI 3.1, made from the descriptions of each route.
///
/// A part is an object with `operations`, by "METHOD /pattern", their `tag`, and the `components` that they use, in
/// OpenAPI's form. Derived here and written nowhere else: the parameters of a route's captures, and the parameters
/// and errors common to all requests. `errors` of an operation lists the others: 404 stands for
/// `#/components/responses/404`. Exactly one part has `info`, with what belongs to the whole API.
class api_description {
public:
  /// Throws `failure` if a part is invalid. The texts need not outlive the call.
  explicit api_description(std::span<const std::string_view> parts);

  /// Returns "GET /guests" and so on for every described operation.
  std::vector<std::string> operations() const;

  /// Returns the document. Omits routes without a description and descriptions without a route.
  std::string of(const std::vector<route>& table) const;

private:
  struct entry {
    std::string tag;
    const rpc::json::node* text;
  };

  void write_paths(rpc::json::writer& out, const std::vector<route>& table) const;
  void write_components(rpc::json::writer& out) const;

  std::vector<rpc::json::document> parts_; // owns the nodes of the other members
  const rpc::json::node* whole_ = nullptr;
  std::map<std::string, entry, std::less<>> operations_;
  std::map<std::string, std::vector<const rpc::json::node*>> components_; ///< by kind, such as "schemas"
};

} // namespace mistify::http
