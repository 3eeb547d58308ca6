#include "http/api/actor_gateway.hpp"

#include "actors/caf/caller_runs.hpp"
#include "actors/interfaces.hpp"
#include "actors/job_log.hpp"
#include "actors/runner/direct_calls.hpp"
#include "actors/system.hpp"
#include "http/api/pending_requests.hpp"
#include "rpc/base/thread_pool.hpp"

#include <caf/actor_companion.hpp>

#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace mistify::http {

namespace {

using namespace std::chrono_literals;
using actors::to_failure;
using rpc::errc;
using rpc::failure;
using std::chrono::steady_clock;

/// A write responds after its commit; a disk that takes longer has a problem.
constexpr auto write_deadline = 30s;
/// A download may wait behind other long downloads.
constexpr auto stream_deadline = 10min;
/// Above the inspector's own deadline.
constexpr auto look_deadline = 5s;
/// The maximum number of handlers that read the disk after a wait, at a time.
constexpr std::size_t most_readers = 4;
/// Receives the actors' responses: an actor without a mailbox, whose enqueue calls the waiting handler at once, on
/// the responder's thread. One actor therefore serves all requests, and no other thread is woken.
class inbox : public caf::actor_companion, public actors::asker {
public:
  inbox(caf::actor_config& config, std::shared_ptr<pending_requests> room)
    : caf::actor_companion{config}, room_{std::move(room)} {}

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    take(element->mid, element->move_content_to_message());
  }
  void enqueue(caf::strong_actor_ptr, caf::message_id id, caf::message content, caf::execution_unit*) override {
    take(id, std::move(content));
  }

  bool awaits(caf::message_id request) const override { return room_->awaits(request.request_id().integer_value()); }

  /// An actor that handles no messages must be ended explicitly, or the actor system waits for it.
  void end() { cleanup(caf::make_error(caf::exit_reason::user_shutdown), nullptr); }

private:
  void take(caf::message_id id, caf::message content) {
    if (!id.is_response())
      return;
    const auto number = id.request_id().integer_value();
    if (content.match_elements<caf::error>())
      room_->answer(number, to_failure(content.get_as<caf::error>(0)));
    else
      room_->answer(number, std::move(content));
  }

  std::shared_ptr<pending_requests> room_;
};

} // namespace

struct actor_gateway::impl {
  explicit impl(actors::agent_system& system)
    : agent{system}, room{std::make_shared<pending_requests>()}, mailbox{agent.actors().spawn<inbox>(room)} {}

  ~impl() { caf::actor_cast<inbox*>(mailbox)->end(); }

  /// Sends a request from the inbox; the receiver's interface must reply with a T.
  template <class T, class Handle, class... Ts>
  awaitable<T> ask(const Handle& to, steady_clock::duration longest, Ts... message) {
    return awaitable<T>{[this, to, longest, content = caf::make_message(std::move(message)...)](auto on_done) mutable {
      if (const auto id = this->template expect<T>(longest, std::move(on_done)))
        this->template send<T, Handle, Ts...>(to, *id, std::move(content));
    }};
  }

  /// Calls the sub-agent directly if possible; otherwise asks the runner.
  awaitable<rpc::json::document> ask(std::string runner, actors::info_request what) {
    return awaitable<rpc::json::document>{
      [this, runner = std::move(runner), what = std::move(what)](auto on_done) mutable {
        const auto id = expect<rpc::json::document>(actors::longest_wait_for(*what.what), std::move(on_done));
        if (!id || starts_directly(*id, runner, what))
          return;
        const auto& front = agent.front();
        send<rpc::json::document, actors::front_actor, actors::info_atom, std::string, actors::info_request>(
          front, *id, caf::make_message(actors::info_atom_v, std::move(runner), std::move(what)));
      }};
  }

  /// What is thrown is an answer too: the request is entered, and its handler waits.
  bool starts_directly(std::uint64_t id, const std::string& runner, const actors::info_request& what) {
    try {
      return agent.direct().start(runner, what, [room = room, id](rpc::outcome<rpc::json::document> outcome) {
        room->answer(id, as_response(std::move(outcome)));
      });
    } catch (const std::exception& e) {
      room->answer(id, failure{errc::internal, e.what()});
      return true;
    }
  }

  /// Null if nothing will come, because the agent is stopping.
  template <class T>
  std::optional<std::uint64_t> expect(steady_clock::duration longest, typename awaitable<T>::on_done on_done) {
    return room->add(longest, [on_done = std::move(on_done)](rpc::outcome<caf::message> answer) {
      if (auto* why = std::get_if<failure>(&answer))
        on_done(std::move(*why));
      else
        on_done(std::move(std::get<caf::message>(answer).template get_mutable_as<T>(0)));
    });
  }

  static rpc::outcome<caf::message> as_response(rpc::outcome<rpc::json::document> outcome) {
    if (auto* why = std::get_if<failure>(&outcome))
      return std::move(*why);
    return caf::make_message(std::get<rpc::json::document>(std::move(outcome)));
  }

  template <class T, class Handle, class... Ts>
  void send(const Handle& to, std::uint64_t id, caf::message content) {
    using replies = typename caf::response_type<typename Handle::signatures, Ts...>::type;
    static_assert(std::is_same_v<replies, caf::detail::type_list<T>>, "the actor replies something else");
    actors::send_from_outside(*caf::actor_cast<caf::abstract_actor*>(to),
                              caf::actor_cast<caf::strong_actor_ptr>(mailbox),
                              caf::make_message_id(id).with_normal_priority(), std::move(content));
  }

  actors::agent_system& agent;
  rpc::thread_pool readers{"readers", most_readers};
  std::shared_ptr<pending_requests> room;
  caf::actor mailbox;
};

actor_gateway::actor_gateway(actors::agent_system& agent) : impl_{std::make_shared<impl>(agent)} {}
actor_gateway::~actor_gateway() = default;

void actor_gateway::close() {
  impl_->room->close();
}

awaitable<rpc::json::document> actor_gateway::ask(std::string runner, actors::info_request what) {
  return impl_->ask(std::move(runner), std::move(what));
}

void actor_gateway::want_guest_metrics() {
  caf::anon_send(impl_->agent.metrics_collector(), actors::refresh_atom_v);
}

awaitable<store::queued_job> actor_gateway::queue(std::string runner, actors::job_request what) {
  what.expires = steady_clock::now() + write_deadline;
  return impl_->ask<store::queued_job>(impl_->agent.front(), write_deadline, actors::queue_atom_v, std::move(runner),
                                       std::move(what));
}

awaitable<store::queued_job> actor_gateway::create(rpc::guest guest, actors::job_request what) {
  what.expires = steady_clock::now() + write_deadline;
  return impl_->ask<store::queued_job>(impl_->agent.front(), write_deadline, actors::create_atom_v, std::move(guest),
                                       std::move(what));
}

awaitable<actors::stream_grant> actor_gateway::open_stream(std::string runner, actors::action_ptr what) {
  return impl_->ask<actors::stream_grant>(impl_->agent.front(), stream_deadline, actors::stream_atom_v,
                                          std::move(runner), std::move(what));
}

awaitable<rpc::job> actor_gateway::cancel(std::string runner, std::string job_id) {
  return impl_->ask<rpc::job>(impl_->agent.front(), write_deadline, actors::cancel_atom_v, std::move(runner),
                              std::move(job_id));
}

/// A failure means that waiting is useless. The response arrives from an actor, which must not read the disk,
/// so the handler continues on a thread that may.
awaitable<bool> actor_gateway::await_end(std::string runner, std::string job_id, std::chrono::milliseconds longest) {
  auto answer =
    impl_->ask<bool>(impl_->agent.front(), longest, actors::wait_atom_v, std::move(runner), std::move(job_id));
  return awaitable<bool>{[this, ask = std::move(answer).sender()](auto on_done) {
    ask([this, on_done](const rpc::outcome<bool>& outcome) {
      const bool ended = std::holds_alternative<bool>(outcome);
      if (!impl_->readers.try_post([on_done, ended] { on_done(ended); }))
        on_done(ended);
    });
  }};
}

awaitable<bool> actor_gateway::alive(std::chrono::milliseconds longest) {
  auto all = both(impl_->ask<bool>(impl_->agent.front(), longest, actors::alive_atom_v),
                  impl_->ask<bool>(impl_->agent.log(), longest, actors::alive_atom_v));
  return awaitable<bool>{[ask = std::move(all).sender(), &agent = impl_->agent](auto on_done) {
    const actors::held_actors by_threads_of_theirs; // which this is about
    ask([on_done, &agent](const auto& outcome) {
      const auto& [front, log] = std::get<0>(outcome);
      const auto commit = agent.commit_lasts();
      const bool log_is_well = std::holds_alternative<bool>(log) || (commit && *commit < longest_commit);
      on_done(std::holds_alternative<bool>(front) && log_is_well);
    });
  }};
}

awaitable<bool> actor_gateway::writable(std::chrono::milliseconds longest) {
  return impl_->ask<bool>(impl_->agent.log(), longest, actors::probe_atom_v);
}

awaitable<actors::look_ptr> actor_gateway::look() {
  return impl_->ask<actors::look_ptr>(impl_->agent.inspector(), look_deadline, actors::inspect_atom_v);
}

awaitable<actors::look_ptr> actor_gateway::look_at(std::string id) {
  return impl_->ask<actors::look_ptr>(impl_->agent.inspector(), look_deadline, actors::inspect_atom_v, std::move(id));
}

awaitable<store::reported_state> actor_gateway::report(std::string guest_id, std::string state, std::string reason,
                                                       std::string if_match, store::audit_ptr audit) {
  return impl_->ask<store::reported_state>(impl_->agent.log(), write_deadline, actors::report_atom_v,
                                           std::move(guest_id), std::move(state), std::move(reason),
                                           std::move(if_match), std::move(audit));
}

awaitable<rpc::job> actor_gateway::report_progress(std::string job_id, store::stage_report report) {
  return impl_->ask<rpc::job>(impl_->agent.log(), write_deadline, actors::progress_atom_v, std::move(job_id),
                              std::move(report));
}

awaitable<bool> actor_gateway::refresh_host() {
  return impl_->ask<bool>(impl_->agent.host_watcher(), look_deadline, actors::refresh_atom_v);
}

awaitable<store::maintenance> actor_gateway::set_maintenance(store::maintenance wanted, store::audit_ptr audit) {
  return impl_->ask<store::maintenance>(impl_->agent.log(), write_deadline, actors::patch_atom_v, std::move(wanted),
                                        std::move(audit));
}

awaitable<store::token> actor_gateway::change_token(store::token_change change, store::audit_ptr audit) {
  return impl_->ask<store::token>(impl_->agent.log(), write_deadline, actors::token_atom_v, std::move(change),
                                  std::move(audit));
}

awaitable<bool> actor_gateway::leave_cluster(bool force) {
  if (!impl_->agent.cluster_member())
    throw failure{errc::not_configured, "cluster: Not configured"};
  return impl_->ask<bool>(impl_->agent.cluster_member(), write_deadline, actors::leave_atom_v, force);
}

awaitable<rpc::metadata_map> actor_gateway::patch(std::string guest_id, rpc::metadata_patch patch,
                                                  store::audit_ptr audit, std::string if_match) {
  return impl_->ask<rpc::metadata_map>(impl_->agent.log(), write_deadline, actors::patch_atom_v, std::move(guest_id),
                                       std::move(patch), std::move(audit), std::move(if_match));
}

awaitable<rpc::metadata_map> actor_gateway::patch(rpc::metadata_patch patch, store::audit_ptr audit) {
  return impl_->ask<rpc::metadata_map>(impl_->agent.log(), write_deadline, actors::patch_atom_v, std::move(patch),
                                       std::move(audit));
}

awaitable<bool> actor_gateway::note(store::audit_ptr entry) {
  return impl_->ask<bool>(impl_->agent.log(), write_deadline, actors::audit_atom_v, std::move(entry));
}

} // namespace mistify::http
