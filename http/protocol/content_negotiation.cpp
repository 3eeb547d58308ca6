#include "http/protocol/content_negotiation.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <charconv>

namespace mistify::http {

namespace {

/// Of the parameters behind a type; 1 where they name none, 0 for what is no number.
double weight(std::string_view parameters) {
  double value = 1;
  rpc::text::each_element(parameters, ';', [&](std::string_view p) {
    if (p.size() < 2 || rpc::text::lower(p[0]) != 'q' || p[1] != '=')
      return;
    if (std::from_chars(p.data() + 2, p.data() + p.size(), value).ec != std::errc{})
      value = 0;
  });
  return std::clamp(value, 0.0, 1.0);
}

/// 3: the type itself, 2: its kind, 1: anything, 0: something else.
int nearness(std::string_view range, std::string_view type) {
  if (rpc::text::equal_ignoring_case(range, type))
    return 3;
  if (range.ends_with("/*") &&
      rpc::text::equal_ignoring_case(range.substr(0, range.size() - 1), type.substr(0, type.find('/') + 1)))
    return 2;
  return range == "*/*" ? 1 : 0;
}

} // namespace

double welcome(std::string_view accept, std::string_view type) {
  int nearest = 0;
  double found = rpc::text::trim(accept).empty() ? 1 : 0;
  rpc::text::each_element(accept, ',', [&](std::string_view element) {
    const auto semicolon = std::min(element.find(';'), element.size());
    const int near = nearness(rpc::text::trim(element.substr(0, semicolon)), type);
    if (near <= nearest)
      return;
    nearest = near;
    found = weight(element.substr(semicolon));
  });
  return found;
}

bool prefers_page(std::string_view accept) {
  return welcome(accept, "text/html") > welcome(accept, "application/json");
}

} // namespace mistify::http
