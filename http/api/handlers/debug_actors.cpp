#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "http/api/views/actor_status_json.hpp"
#include "http/pages.hpp"
#include "http/protocol/content_negotiation.hpp"

#include <chrono>

namespace mistify::http::handlers {

namespace {

using namespace std::chrono_literals;

/// Enough for a tool that reads all actors of a large host.
constexpr std::size_t most_rows = 100'000;

std::chrono::milliseconds patience_of(const request& from) {
  return duration_of(from, "patience", 30s, 24h);
}

std::string text_of(const request& from, const std::string& name) {
  const auto* text = from.parameter(name);
  return text ? *text : std::string{};
}

status_filter filter_of(const request& from) {
  return {text_of(from, "kind"),  text_of(from, "guest"),    text_of(from, "search"), flag_of(from, "idle", true),
          flag_of(from, "stuck"), limit_of(from, most_rows), patience_of(from)};
}

rpc::timestamp now() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

/// The same path has two forms, which caches must distinguish.
answer live_json(std::string body) {
  auto out = json_answer(200, std::move(body));
  out.headers.emplace_back("Cache-Control", "no-store");
  out.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  return out;
}

} // namespace

task<answer> list_actors(context& cx, request& from) {
  if (prefers_page(from.header("accept")))
    co_return page_answer(pages::actors);
  const auto wanted = filter_of(from);
  const auto all = co_await cx.agents.look();
  co_return live_json(encode_statuses(*all, wanted, now()));
}

/// The page for one actor is the page for all, at the actor's path.
task<answer> get_actor(context& cx, request& from) {
  if (prefers_page(from.header("accept")))
    co_return page_answer(pages::actors);
  const auto patience = patience_of(from);
  const auto found = co_await cx.agents.look_at(from.captures["actor"]);
  if (found->empty())
    throw rpc::failure{rpc::errc::not_found, "not found"}; // it has ended meanwhile
  co_return live_json(encode_status(found->front(), patience, now()));
}

} // namespace mistify::http::handlers
