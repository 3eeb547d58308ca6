#include "actors/runner/image_work.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>

namespace mistify::actors {

namespace {

std::string text_in(const rpc::json::node& request, std::string_view name) {
  const auto* member = request.find(name);
  return member && member->type() == rpc::json::node::kind::string ? member->as_string(name) : std::string{};
}

/// Returns the host of a URL without its port; empty if it has none.
std::string host_of(std::string_view url) {
  constexpr std::string_view mark = "://";
  const auto scheme = url.find(mark);
  if (scheme == url.npos)
    return {};
  auto authority = url.substr(scheme + mark.size());
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  if (const auto user = authority.rfind('@'); user != authority.npos)
    authority.remove_prefix(user + 1);
  if (const auto port = authority.rfind(':'); port != authority.npos && authority.find(']', port) == authority.npos)
    authority = authority.substr(0, port);
  if (authority.ends_with('.'))
    authority.remove_suffix(1);
  std::string host{authority};
  std::ranges::transform(host, host.begin(), rpc::text::lower);
  return host;
}

} // namespace

std::string image_of(std::string_view request) try {
  const auto document = rpc::json::document::parse(request);
  for (const auto* name : {"id", "source", "name"})
    if (auto text = text_in(document.root(), name); !text.empty())
      return text;
  return {};
} catch (const rpc::failure&) {
  return {};
}

std::string source_host_of(std::string_view request) try {
  const auto document = rpc::json::document::parse(request);
  return host_of(text_in(document.root(), "source"));
} catch (const rpc::failure&) {
  return {};
}

} // namespace mistify::actors
