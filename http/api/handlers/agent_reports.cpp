#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "rpc/base/log.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <array>

/// Reports that sub-agents send on their own initiative.
namespace mistify::http::handlers {

namespace {

/// The states of a virtual machine or a container; see the contract, section 7.
constexpr std::array<std::string_view, 10> states{"unknown", "running",   "blocked", "paused",  "shutdown",
                                                  "crashed", "suspended", "shutoff", "stopped", "deleted"};

/// Returns the text of a report's only member; empty if there is none.
std::string text_in(const std::string& body, std::string_view name) {
  const auto document = rpc::json::document::parse(body);
  const auto* member = document.root().find(name);
  return member ? member->as_string(name) : std::string{};
}

std::string decode_state(const std::string& body) {
  auto state = text_in(body, "state");
  if (std::find(states.begin(), states.end(), state) == states.end())
    throw rpc::failure{rpc::errc::invalid_request, "state: is none that a guest can be in by itself"};
  return state;
}

constexpr std::size_t longest_message = 256;

std::string decode_message(const std::string& body) {
  auto message = text_in(body, "message");
  if (message.empty() || message.size() > longest_message)
    throw rpc::failure{rpc::errc::invalid_request,
                       "message: must be a text of at most " + std::to_string(longest_message) + " bytes"};
  return message;
}

} // namespace

task<answer> report_state(context& cx, request from) {
  const auto guest = need_guest(cx, from.captures[0]);
  const auto state = decode_state(from.body);
  const auto taken = co_await cx.agents.report(guest->id, state);
  if (!taken.before.empty())
    rpc::log::audit("guest changed by itself",
                    {{"request_id", from.id}, {"guest", guest->id}, {"from", taken.before}, {"to", state}});
  co_return json_answer(200, public_guest(taken.guest_doc));
}

task<answer> report_progress(context& cx, request from) {
  auto message = decode_message(from.body);
  const auto job = co_await cx.agents.report_progress(from.captures[0], std::move(message));
  co_return json_answer(200, rpc::encode(job));
}

} // namespace mistify::http::handlers
