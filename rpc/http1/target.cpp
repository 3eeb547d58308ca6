#include "rpc/http1/target.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>

namespace mistify::rpc::http1 {

std::optional<std::string> percent_decode(std::string_view s) {
  if (s.find('%') == s.npos) // most have no escape
    return s.find('\0') == s.npos ? std::optional{std::string{s}} : std::nullopt;
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '%') {
      int high = i + 2 < s.size() ? text::hex_value(s[i + 1]) : -1;
      int low = high >= 0 ? text::hex_value(s[i + 2]) : -1;
      if (low < 0)
        return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0')
      return std::nullopt;
    out += c;
  }
  return out;
}

std::string_view path_of(std::string_view target) {
  target = target.substr(0, std::min(target.find('?'), target.find('#')));
  if (target.starts_with('/')) // as in nearly all requests
    return target;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!text::equal_ignoring_case(target.substr(0, scheme.size()), scheme))
      continue;
    auto slash = target.find('/', scheme.size());
    return slash == target.npos ? "/" : target.substr(slash);
  }
  return target;
}

std::string_view query_of(std::string_view target) {
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  return mark == target.npos ? std::string_view{} : target.substr(mark + 1);
}

} // namespace mistify::rpc::http1
