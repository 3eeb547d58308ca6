#include "store/audit.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/time.hpp"
#include "store/job_reader.hpp"

#include <algorithm>
#include <array>

namespace mistify::http::handlers {

namespace {

using rpc::errc;
using rpc::failure;
using rpc::json::writer;

std::string text_of(const request& from, const std::string& name) {
  const auto* text = from.parameter(name);
  if (text && text->empty())
    throw failure{errc::invalid_request, name + ": must not be empty"};
  return text ? *text : std::string{};
}

template <std::size_t N>
std::string one_of(const request& from, const std::string& name, const std::array<std::string_view, N>& known) {
  auto text = text_of(from, name);
  if (!text.empty() && std::ranges::find(known, text) == known.end()) {
    std::string all;
    for (const auto one : known)
      all.append(all.empty() ? "" : ", ").append(one);
    throw failure{errc::invalid_request, name + ": must be one of " + all};
  }
  return text;
}

rpc::timestamp time_of(const request& from, const std::string& name) {
  const auto text = text_of(from, name);
  const auto at = text.empty() ? std::optional{rpc::timestamp{}} : rpc::decode_timestamp(text);
  if (!at)
    throw failure{errc::invalid_request, name + ": must be a time, as RFC 3339 has it"};
  return *at;
}

std::string scope_of(const request& from) {
  auto text = text_of(from, "scope");
  if (!text.empty() && !actors::find_scope(text))
    throw failure{errc::invalid_request, "scope: there is no scope \"" + text + '"'};
  return text;
}

store::audit_filter filter_of(const request& from) {
  constexpr std::array<std::string_view, 9> known{"who",  "how",   "scope",  "decision", "guest",
                                                  "path", "since", "before", "limit"};
  constexpr std::array<std::string_view, 3> decisions{"accepted", "repeated", "refused"};
  constexpr std::array<std::string_view, 4> sources{"unix", "cert", "token", "anonymous"};
  for (const auto& one : from.query)
    if (std::ranges::find(known, one.name) == known.end())
      throw failure{errc::invalid_request, one.name + ": there is no such parameter"};
  store::audit_filter filter;
  filter.who = text_of(from, "who");
  filter.how = one_of(from, "how", sources);
  filter.scope = scope_of(from);
  filter.decision = one_of(from, "decision", decisions);
  filter.guest = text_of(from, "guest");
  filter.path = text_of(from, "path");
  filter.since = time_of(from, "since");
  filter.before = time_of(from, "before");
  return filter;
}

/// Members without a value are left out.
std::string encode(const store::audit_entry& what) {
  writer out;
  const auto text = [&](std::string_view key, const std::string& value) {
    if (!value.empty())
      out.key(key).value(value);
  };
  out.begin_object().key("id").value(what.id).key("at").value(rpc::encode(what.at));
  text("who", what.who);
  text("how", what.how);
  text("scope", what.scope);
  text("decision", what.decision);
  out.key("status").value(what.status);
  text("method", what.method);
  text("path", what.path);
  text("guest", what.guest);
  text("job", what.job);
  text("action", what.action);
  text("request_id", what.request_id);
  text("peer", what.peer);
  text("process", what.process);
  if (what.missed > 0)
    out.key("missed").value(what.missed);
  out.end_object();
  return std::move(out).str();
}

} // namespace

task<answer> list_audit(context& cx, request& from) {
  std::vector<std::string> texts;
  for (const auto& one : cx.jobs.audited(filter_of(from), limit_of(from)))
    texts.push_back(encode(one));
  co_return json_answer(200, json_array(texts));
}

} // namespace mistify::http::handlers
