#include "http/protocol/message.hpp"

#include "rpc/base/overloaded.hpp"

namespace mistify::http {

std::string_view request::header(std::string_view name) const {
  auto i = headers.find(name);
  return i == headers.end() ? std::string_view{} : std::string_view{i->second};
}

const std::string* request::parameter(const std::string& name) const {
  // lower_bound, because find may give any of several.
  auto i = query.lower_bound(name);
  return i != query.end() && i->first == name ? &i->second : nullptr;
}

std::string_view answer::text() const noexcept {
  return std::visit(rpc::overloaded{[](const std::string& own) -> std::string_view { return own; },
                                    [](const shared_text& shared) -> std::string_view { return *shared; },
                                    [](const auto&) { return std::string_view{}; }},
                    body);
}

} // namespace mistify::http
