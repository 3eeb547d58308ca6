#include "http/protocol/message.hpp"

#include "rpc/base/overloaded.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

std::string_view request::header(std::string_view name) const {
  return headers.find(name).value_or(std::string_view{});
}

const query_parameter* request::find_parameter(std::string_view name) const noexcept {
  const auto found = std::ranges::find(query, name, &query_parameter::name);
  return found == query.end() ? nullptr : &*found;
}

const std::string* request::parameter(std::string_view name) const noexcept {
  const auto* found = find_parameter(name);
  return found ? &found->value : nullptr;
}

void request::release() {
  constexpr std::size_t most_kept = 1024, most_segments = 8; // bytes; idle connections are many
  std::string{}.swap(body);
  client = nullptr;
  who = nullptr;
  audit = nullptr;
  const auto kept = method.capacity() + path.capacity() + authority.capacity() + headers.memory();
  if (kept > most_kept || segments.size() > most_segments || !query.empty())
    static_cast<void>(std::exchange(*this, {})); // an assignment alone would keep the memory of texts
}

std::string_view answer::text() const noexcept {
  return std::visit(rpc::overloaded{[](const std::string& own) -> std::string_view { return own; },
                                    [](const shared_text& shared) -> std::string_view { return *shared; },
                                    [](const auto&) { return std::string_view{}; }},
                    body);
}

} // namespace mistify::http
