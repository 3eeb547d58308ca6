#include "actors/ids.hpp"
#include "actors/runner/guest_runner.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

// What a runner does at once, beside its queue: calls that are answered directly, downloads and readers of logs.
namespace mistify::actors {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;

namespace {

/// Nobody waits for it, but it holds a place.
constexpr auto longest_background_call = 5s;

} // namespace

// -- info --------------------------------------------------------------------------------------------------------

caf::result<rpc::json::document> guest_runner::ask(const info_request& request) {
  if (retired_)
    return to_error(gone());
  take_limits();
  const reply<rpc::json::document> answer{self_};
  auto work = std::make_shared<info_run>(
    info_run{pipeline{request.what, request.request, 0}, answer, request.background, request.request_id});
  if (request.background) {
    if (info_.enter_if_spare())
      begin(work);
    else
      answer.deliver(failure{errc::queue_full, "this guest has no place to spare"});
    return answer.later();
  }
  switch (info_.enter(work)) {
  case admission::runs: begin(work); break;
  case admission::waits: break;
  case admission::refused: answer.deliver(failure{errc::queue_full, "too many requests wait for this guest"});
  }
  return answer.later();
}

void guest_runner::begin(const info_ptr& work) {
  asking_.push_back(work);
  run(work);
}

void guest_runner::run(const info_ptr& work) {
  if (work->steps.finished())
    end(work, std::move(work->steps).take_result());
  else
    call(work);
}

void guest_runner::call(const info_ptr& work) {
  std::string doc;
  if (id_ != agent_runner) {
    const auto guest = context_->guests->find(id_);
    if (!guest)
      return end(work, gone());
    doc = guest->doc;
  }
  const auto& stage = work->steps.current();
  work->since = now();
  service_call out{stage.method, work->steps.params(doc), stage.timeout,    true,
                   {},           work->background,        work->request_id, id_};
  if (work->background && (out.timeout == 0ms || out.timeout > longest_background_call))
    out.timeout = longest_background_call;
  // No deadline: the call has its own, and its answer comes also when the service dies.
  self_->request(context_->find_service(stage.service).actor, caf::infinite, call_atom_v, std::move(out))
    .then(
      [this, work](rpc::json::document& result) {
        try {
          work->steps.accept(std::move(result), id_);
          run(work);
        } catch (failure& e) {
          end(work, e.through(work->steps.label()));
        }
      },
      [this, work](const caf::error& e) { end(work, to_failure(e).through(work->steps.label())); });
}

template <class Result>
void guest_runner::end(const info_ptr& work, Result&& result) {
  if constexpr (std::is_same_v<std::decay_t<Result>, failure>)
    if (!work->background)
      history_.note_error(now(), std::string{work->steps.kind().name} + ": " + result.message());
  work->answer.deliver(std::forward<Result>(result));
  asking_.remove(work);
  if (auto next = info_.leave())
    begin(*next);
  take_limits();
  quit_if_done();
}

// -- streams -----------------------------------------------------------------------------------------------------

caf::result<stream_grant> guest_runner::grant(const action_ptr& what) {
  if (retired_)
    return to_error(gone());
  if (what->stages.empty())
    return to_error({errc::not_configured, std::string{what->kind->name} + ": has no stage"});
  take_limits();
  if (!streams_)
    streams_ = std::make_unique<streams>(make_streams());
  const reply<stream_grant> answer{self_};
  stream_request wish{what, answer};
  auto& places = throttle_of(*what->kind);
  const char* refusal =
    &places == &streams_->logs ? "too many readers of this guest's log" : "too many downloads wait for this guest";
  switch (places.enter(wish)) {
  case admission::runs: grant(wish); break;
  case admission::waits: break;
  case admission::refused: answer.deliver(failure{errc::queue_full, refusal});
  }
  return answer.later();
}

throttle<guest_runner::stream_request>& guest_runner::throttle_of(const action_kind& kind) {
  return kind.subject == action_subject::guest ? streams_->logs : streams_->downloads;
}

/// The runner's place is taken; the service's comes next. Both go back with the last copy of the grant's lease, also
/// when nobody waits for the grant any more.
void guest_runner::grant(const stream_request& wish) {
  const std::shared_ptr<const stage> of{wish.what, &wish.what->stages.front()};
  const auto number = ++epochs_;
  const auto& kind = *wish.what->kind;
  const bool may_wait = &throttle_of(kind) != &streams_->logs;
  streams_->out.push_back({number, &kind, of, now()});
  const lease own{static_cast<const void*>(this), [runner = caf::actor_cast<runner_actor>(self_), number](const void*) {
                    caf::anon_send(runner, release_slot_atom_v, number);
                  }};
  // No deadline: the client's request has one, and the lease is returned if the client has gone by then.
  self_
    ->request(context_->find_service(of->service).actor, caf::infinite, acquire_slot_atom_v, of->method, id_, may_wait)
    .then(
      [wish, own, of](const lease& place) {
        const auto both = std::make_shared<const std::pair<lease, lease>>(own, place);
        wish.answer.deliver(stream_grant{both, of->service, of->timeout});
      },
      [wish](caf::error& e) { wish.answer.deliver(std::move(e)); });
}

void guest_runner::stream_left(std::uint64_t number) {
  const auto ended = std::ranges::find(streams_->out, number, &download_out::number);
  if (ended == streams_->out.end())
    return;
  auto& places = throttle_of(*ended->kind);
  streams_->out.erase(ended);
  if (auto next = places.leave())
    grant(*next);
  take_limits();
  quit_if_done();
}

} // namespace mistify::actors
