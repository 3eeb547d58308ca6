#include "actors/runner/image_work.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"
#include "rpc/base/url_text.hpp"

#include <algorithm>

namespace mistify::actors {

namespace {

std::string text_in(const rpc::json::node& request, std::string_view name) {
  const auto* member = request.find(name);
  return member && member->type() == rpc::json::node::kind::string ? member->as_string(name) : std::string{};
}

std::string image_in(const rpc::json::node& request) {
  for (const auto* name : {"id", "source", "name"})
    if (auto text = text_in(request, name); !text.empty())
      return text;
  return {};
}

/// Returns the host of a URL as hosts are compared; empty if it has none.
std::string host_of(std::string_view url) {
  const auto parts = rpc::split_url(url);
  if (!parts)
    return {};
  std::string host{parts->host};
  if (host.ends_with('.'))
    host.pop_back();
  std::ranges::transform(host, host.begin(), rpc::text::lower);
  return host;
}

} // namespace

image_work read_image_work(std::string_view request) try {
  const auto document = rpc::json::document::parse(request);
  return {image_in(document.root()), host_of(text_in(document.root(), "source"))};
} catch (const rpc::failure&) {
  return {};
}

bool is_fetch(const action_kind& kind) {
  return kind.name == "fetchImage" || kind.name == "containerFetchImage";
}

} // namespace mistify::actors
