#include "http/protocol/request_parser.hpp"

#include "rpc/http1/door.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/http1/target.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace mistify::http {

namespace {

constexpr std::size_t longest_target = 8192;

/// A part of a query. An escape that is none stands for itself, and "+" for a blank.
std::string decode_query(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    const int high = s[i] == '%' && i + 2 < s.size() ? rpc::text::hex_value(s[i + 1]) : -1;
    const int low = high >= 0 ? rpc::text::hex_value(s[i + 2]) : -1;
    if (low < 0) {
      out += s[i] == '+' ? ' ' : s[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// Parameters without a name are left out.
std::vector<query_parameter> read_query(std::string_view query) {
  std::vector<query_parameter> found;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    auto name = decode_query(pair.substr(0, equals));
    if (name.empty())
      continue;
    const bool bare = equals == pair.npos;
    found.push_back({std::move(name), bare ? std::string{} : decode_query(pair.substr(equals + 1)), bare});
  }
  std::ranges::stable_sort(found, {}, &query_parameter::name);
  return found;
}

} // namespace

bool split_path(std::string_view path, std::vector<std::string>& segments) {
  const bool encoded = path.find('%') != path.npos || path.find('\0') != path.npos;
  std::size_t count = 0;
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  while (!path.empty()) {
    const auto sent = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), sent.size() + 1));
    if (++count > segments.size())
      segments.emplace_back();
    auto& segment = segments[count - 1];
    if (!encoded)
      segment = sent;
    else if (auto decoded = rpc::http1::percent_decode(sent))
      segment = *std::move(decoded);
    else
      return false;
  }
  segments.resize(count);
  return true;
}

std::optional<refusal> request_parser::parse(const request_head& head, request& to) {
  to.head_only = head.method == "HEAD";
  if (head.target.size() > longest_target)
    return refusal{414, "the request's target is longer than " + std::to_string(longest_target) + " bytes"};
  to.query = read_query(rpc::http1::query_of(head.target));
  to.method = to.head_only ? "GET" : head.method;
  to.path = rpc::http1::path_of(head.target);
  to.authority.clear();
  if (const auto authority = rpc::authority_of_target(head.target))
    to.authority = *authority;
  const bool rooted = to.path.starts_with('/') || (to.path == "*" && to.method == "OPTIONS");
  if (!split_path(to.path, to.segments) || !rooted)
    return refusal{400, "the path is not valid"};
  to.headers.assign(head.fields);
  return std::nullopt;
}

} // namespace mistify::http
