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
  auto& line = info();
  work->place = request.background ? line.gate->claim_spare() : line.gate->claim();
  if (!work->place) {
    answer.deliver(failure{errc::queue_full, "this guest has no place to spare"});
  } else if (work->place->holds()) {
    begin(work);
  } else if (line.waiting.size() >= context_->limit().info_waiting) {
    answer.deliver(failure{errc::queue_full, "too many requests wait for this guest"});
  } else {
    line.waiting.push_back(work);
    line.shown_waiting.set(line.waiting.size());
  }
  drop_idle_info();
  return answer.later();
}

/// The places outlive the actor where calls that pass it by hold some: they must not keep it.
guest_runner::info_line& guest_runner::info() {
  if (!info_) {
    info_ = std::make_unique<info_line>(info_line{context_->info.of(id(), context_->limit().info),
                                                  rpc::metrics::gauge_share{context_->measured.info_waiting}});
    info_->gate->on_free([weak = caf::actor_cast<caf::actor_addr>(self_)] {
      if (const auto runner = caf::actor_cast<runner_actor>(weak))
        caf::anon_send(runner, resume_atom_v);
    });
  }
  return *info_;
}

void guest_runner::drop_idle_info() {
  if (!info_ || !info_->waiting.empty() || !info_->asking.empty())
    return;
  if (!retired_)
    info_->gate->on_free(nullptr); // the places may outlive this runner
  info_.reset();
}

/// The next runner of this id is woken by the same places, and this one no more.
void guest_runner::refuse_waiting_info() {
  if (!info_)
    return;
  info_->gate->on_free(nullptr);
  for (const auto& work : std::exchange(info_->waiting, {}))
    work->answer.deliver(gone());
  info_->shown_waiting.set(0);
  drop_idle_info();
}

void guest_runner::begin_waiting() {
  if (info_)
    info_->gate->woken();
  while (info_ && !info_->waiting.empty() && info_->waiting.front()->place->take()) {
    const auto next = info_->waiting.front();
    info_->waiting.pop_front();
    info_->shown_waiting.set(info_->waiting.size());
    begin(next);
  }
}

void guest_runner::begin(const info_ptr& work) {
  info().asking.push_back(work);
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
  if (id() != agent_runner) {
    const auto guest = context_->guests->find(id());
    if (!guest)
      return end(work, gone());
    doc = guest->doc;
  }
  const auto& stage = work->steps.current();
  work->since = now();
  service_call out{stage.method, work->steps.params(doc), stage.timeout,    true,
                   {},           work->background,        work->request_id, id()};
  if (work->background && (out.timeout == 0ms || out.timeout > longest_background_call))
    out.timeout = longest_background_call;
  // No deadline: the call has its own, and its answer comes also when the service dies.
  self_->request(context_->find_service(stage.service).actor, caf::infinite, call_atom_v, std::move(out))
    .then(
      [this, work](rpc::json::document& result) {
        try {
          work->steps.accept(std::move(result), id());
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
  info().asking.remove(work);
  work->place.reset();
  drop_idle_info();
  take_limits();
  quit_if_done();
}

actor_status::level guest_runner::info_level() const {
  const auto limit = context_->limit();
  return {"info", context_->info.held(id()), limit.info, info_ ? info_->waiting.size() : 0, limit.info_waiting};
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
    ->request(context_->find_service(of->service).actor, caf::infinite, acquire_slot_atom_v, of->method, id(), may_wait)
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
