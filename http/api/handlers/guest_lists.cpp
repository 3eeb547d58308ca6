#include "http/access/principal.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/views/guest_list.hpp"
#include "http/api/views/guest_page.hpp"
#include "http/protocol/compress.hpp"

#include <algorithm>
#include <charconv>

namespace mistify::http::handlers {

namespace {

using rpc::errc;
using rpc::failure;

std::size_t read_limit(const std::string& text) {
  std::size_t limit = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, limit);
  if (fault != std::errc{} || rest != end || limit == 0)
    throw failure{errc::invalid_request, "limit: must be a whole number, 1 or more"};
  return limit;
}

std::pair<std::string, std::string> read_label(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0)
    throw failure{errc::invalid_request, "label: must be KEY=VALUE"};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<std::string> read_fields(std::string_view text) {
  std::vector<std::string> fields;
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(','));
    if (!is_guest_field(one))
      throw failure{errc::invalid_request, "fields: there is no member " + std::string{one}};
    if (std::ranges::find(fields, one) == fields.end()) // however often it is named
      fields.emplace_back(one);
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  if (fields.empty())
    throw failure{errc::invalid_request, "fields: must name a member"};
  return fields;
}

guest_query query_of(const request& from) {
  guest_query query;
  for (const auto& [key, value, bare] : from.query) {
    if (key == "label")
      query.labels.push_back(read_label(value));
    else if (key == "name")
      query.name = value;
    else if (key == "state")
      query.state = value;
    else if (key == "fields")
      query.fields = read_fields(value);
    else if (key == "limit")
      query.limit = read_limit(value);
    else if (key == "after")
      query.after = value;
    else
      throw failure{errc::invalid_request, key + ": no such parameter"};
  }
  return query;
}

/// A long list is built once for all its readers, and they share its bytes.
task<answer> list_all(context& cx, request& from) {
  const bool packed = accepts_gzip(from.header("accept-encoding"));
  auto out = json_answer(200, {});
  out.body = co_await cx.list.get(packed ? guest_list::form::gzip : guest_list::form::plain);
  out.headers.emplace_back("Vary", "Accept-Encoding");
  if (packed)
    out.headers.emplace_back("Content-Encoding", "gzip");
  co_return out;
}

} // namespace

task<answer> list_guests(context& cx, request& from) {
  const auto query = query_of(from);
  if (query.is_plain() && cx.list.is_long() && !from.who->guests)
    co_return co_await list_all(cx, from);
  auto page = make_guest_page(cx.guests, query, *from.who);
  auto out = json_answer(200, std::move(page.body));
  if (!page.next.empty())
    out.headers.emplace_back("X-Next", std::move(page.next));
  co_return out;
}

} // namespace mistify::http::handlers
