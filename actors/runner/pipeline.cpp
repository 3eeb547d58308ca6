#include "actors/runner/pipeline.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/merge_patch.hpp"
#include "store/guest_wish.hpp"

#include <algorithm>
#include <utility>

namespace mistify::actors {

namespace {

using rpc::errc;
using rpc::failure;

/// A sub-agent that asks for a longer pause than this has a fault; it is called again after a day all the same.
constexpr std::uint64_t longest_pause_seconds = 24 * 3600;

/// "cpuMetrics", "containerCpuMetrics" → "cpu".
std::string metrics_type(std::string_view action) {
  if (constexpr std::string_view prefix = "container"; action.starts_with(prefix))
    action.remove_prefix(prefix.size());
  std::string type{action.substr(0, action.find("Metrics"))};
  if (!type.empty())
    type.front() = rpc::text::lower(type.front());
  return type;
}

/// An id in other letters' case is the same one (RFC 9562, section 4), and is kept as it is stored.
void check_guest(std::optional<rpc::guest>& returned, std::string_view guest_id) {
  constexpr std::size_t longest_told = 100;
  if (!returned)
    throw failure{errc::sub_agent_failed, "the sub-agent returned no guest"};
  if (!rpc::text::equal_ignoring_case(returned->id, guest_id))
    throw failure{errc::sub_agent_failed,
                  "the sub-agent returned another guest: \"" + rpc::cut_text(returned->id, longest_told) + '"'};
  returned->id = guest_id;
}

} // namespace

pipeline::pipeline(action_ptr what, std::string request, std::size_t max_retries, std::size_t first)
  : action_{std::move(what)}, request_{std::move(request)}, max_retries_{max_retries}, index_{first} {}

std::string pipeline::label() const {
  return "stage " + std::to_string(index_ + 1) + " (" + current().method + ')';
}

std::string pipeline::params(std::string_view guest_doc) const {
  const auto& args = current().args;
  switch (kind().subject) {
  case action_subject::guest: return guest_params(guest_doc);
  case action_subject::metrics: return rpc::encode_metrics_request(guest_doc, metrics_type(kind().name), args);
  case action_subject::host:
  case action_subject::image:
  case action_subject::snapshot: break;
  }
  return rpc::with_args(request_, args);
}

/// Stages of an update are sent the guest as it shall be; every stage that changes a guest the wish as well.
std::string pipeline::guest_params(std::string_view guest_doc) const {
  const auto& args = current().args;
  if (kind().effect != record_effect::changes || request_.empty())
    return rpc::encode_guest_request(guest_doc, kind().name, args);
  auto request = is_update() ? rpc::encode_guest_request(updated(guest_doc), kind().name, args)
                             : rpc::encode_guest_request(guest_doc, kind().name, args);
  request.back() = ',';
  return request.append(R"("params":)").append(request_).append("}");
}

bool pipeline::is_update() const noexcept {
  return kind().effect == record_effect::changes && store::change_of(kind().name) == "update" && !request_.empty();
}

/// The other members of the wish are in the guest's record already.
std::string pipeline::updated(std::string_view guest_doc) const {
  const auto guest = rpc::json::document::parse(guest_doc), wish = rpc::json::document::parse(request_);
  return rpc::merge_patch(guest.root(), wish.root(), store::needs_stage);
}

pipeline::progress pipeline::accept(std::string body, std::string_view guest_id) {
  progress done;
  if (kind().type == action_type::async) {
    auto result = rpc::decode_stage_result(std::move(body));
    if (result.retry_seconds > 0) {
      if (++retries_ > max_retries_)
        throw failure{errc::sub_agent_failed,
                      "the sub-agent asked for more than " + std::to_string(max_retries_) + " retries"};
      done.retry = std::chrono::seconds{std::min(result.retry_seconds, longest_pause_seconds)};
      return done;
    }
    if (kind().subject == action_subject::guest) {
      check_guest(result.returned, guest_id);
      if (is_update()) // a sub-agent that returns what it knew before does not undo it
        result.returned = rpc::decode_guest(updated(rpc::encode(*result.returned)));
      done.returned = std::move(result.returned);
    }
    done.message = std::move(result.message);
    body = std::move(result.body);
  }
  if (kind().subject == action_subject::host)
    add_result(body);
  else
    result_ = std::move(body);
  skip();
  return done;
}

/// Keeps the results of all stages: `[…,…]`.
void pipeline::add_result(std::string_view body) {
  const bool first = index_ == 0;
  if (first)
    result_ = "[";
  else
    result_.back() = ',';
  result_.append(body).append("]");
}

void pipeline::skip() noexcept {
  retries_ = 0;
  ++index_;
}

void pipeline::step_back() noexcept {
  --index_;
}

} // namespace mistify::actors
