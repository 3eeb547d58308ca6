#pragma once

#include "actors/inspect/status.hpp"
#include "actors/requests.hpp"
#include "rpc/base/error.hpp"
#include "rpc/model/model.hpp"
#include "store/journal.hpp"

#include <atomic>
#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mistify::actors {
class agent_system;
}

namespace mistify::http {

/// An awaitable response of an actor: `auto value = co_await actor_gateway.ask(…)`. Throws the actor's failure. The
/// handler resumes on the thread that delivers the response, and must not block it: one that runs actors, the job log's, the
/// actor_gateway's, or a worker of the server.
template <class T>
class [[nodiscard]] awaitable {
public:
  using on_done = std::function<void(rpc::outcome<T>)>;

  /// `send` starts the work. It calls its argument exactly once, on any thread.
  explicit awaitable(std::function<void(on_done)> send) : send_{std::move(send)} {}

  bool await_ready() const noexcept { return false; }

  void await_suspend(std::coroutine_handle<> handler) {
    // The response may arrive, and this object be destroyed, while `send` still runs; so `send` is moved out.
    const auto send = std::move(send_);
    send([this, handler](rpc::outcome<T> answer) {
      answer_.emplace(std::move(answer));
      handler.resume();
    });
  }

  T await_resume() {
    if (auto* why = std::get_if<rpc::failure>(&*answer_))
      throw *why;
    return std::get<T>(std::move(*answer_));
  }

  /// Returns the function that starts the work, for callers that combine responses instead of awaiting them.
  std::function<void(on_done)> sender() && noexcept { return std::move(send_); }

private:
  std::function<void(on_done)> send_;
  std::optional<rpc::outcome<T>> answer_;
};

/// Sends two requests at once. Returns both outcomes when the later one has arrived.
template <class T>
awaitable<std::pair<rpc::outcome<T>, rpc::outcome<T>>> both(awaitable<T> a, awaitable<T> b) {
  using pair = std::pair<rpc::outcome<T>, rpc::outcome<T>>;
  struct gathering {
    typename awaitable<pair>::on_done on_done;
    pair answers{};
    std::atomic<int> missing{2};

    void came() {
      if (--missing == 0)
        on_done(std::move(answers));
    }
  };
  return awaitable<pair>{[ask_a = std::move(a).sender(), ask_b = std::move(b).sender()](auto on_done) {
    const auto all = std::make_shared<gathering>();
    all->on_done = std::move(on_done);
    ask_a([all](rpc::outcome<T> answer) { all->answers.first = std::move(answer), all->came(); });
    ask_b([all](rpc::outcome<T> answer) { all->answers.second = std::move(answer), all->came(); });
  }};
}

/// Connects HTTP requests with the actors: every request has a deadline and gets a response or an error. A waiting
/// request holds no thread. Thread-safe.
class actor_gateway {
public:
  explicit actor_gateway(actors::agent_system& agent);

  ~actor_gateway();

  /// Fails all waiting and all later requests: the agent is stopping.
  void close();

  /// Runs an info pipeline on the runner of a guest, or on `agent`. Returns the result: see
  /// `pipeline::take_result`.
  awaitable<rpc::json::document> ask(std::string runner, actors::info_request what);

  /// Queues a job on the runner of a guest, or on `agent`.
  awaitable<store::queued_job> queue(std::string runner, actors::job_request what);

  /// Stores a guest and queues its create.
  awaitable<store::queued_job> create(rpc::guest guest, actors::job_request what);

  /// Waits for the resources of a download.
  awaitable<actors::stream_grant> open_stream(std::string runner, actors::action_ptr what);

  /// Cancels a queued or running job. Returns the job afterwards.
  awaitable<rpc::job> cancel(std::string runner, std::string job_id);

  /// Waits for the end of a job, at most `longest`. Returns true if the end is committed; false after the time-out or
  /// if the runner does not have the job (any more). The handler resumes on a thread that may read the disk.
  awaitable<bool> await_end(std::string runner, std::string job_id, std::chrono::milliseconds longest);

  /// A log whose commit takes longer counts as hanging; see `alive`.
  static constexpr std::chrono::minutes longest_commit{2};

  /// Returns true if the central actors responded in time. A log inside a commit counts as responding, up to
  /// `longest_commit`: a slow disk is no reason to restart the agent.
  awaitable<bool> alive(std::chrono::milliseconds longest);

  /// Returns true if the database has committed a write, now or within the last seconds. Throws `storage_failed`
  /// otherwise.
  awaitable<bool> writable(std::chrono::milliseconds longest);

  /// Returns the status of all actors, stuck ones first. Actors that do not respond soon are marked silent.
  awaitable<actors::look_ptr> look();
  /// Returns the status of one actor with its history. Throws `not_found`.
  awaitable<actors::look_ptr> look_at(std::string id);

  /// Stores a state of a guest that no job caused; `audit` commits with it if that changes the guest. Null: it is not audited.
  awaitable<store::reported_state> report(std::string guest_id, std::string state, std::string reason,
                                          std::string if_match, store::audit_ptr audit);

  /// Stores the progress of a running job's stage.
  awaitable<rpc::job> report_progress(std::string job_id, store::stage_report report);

  /// Starts a fetch of the metrics of all guests, unless one is running or began recently. Returns at once.
  void want_guest_metrics();

  /// Brings the host's figures up to date, within 2 s. Returns whether they are.
  awaitable<bool> refresh_host();

  /// Adds, removes or changes a bearer token; the token as it is then, or was. `audit` commits with the change; null:
  /// it is not audited.
  awaitable<store::token> change_token(store::token_change change, store::audit_ptr audit);

  /// Changes the metadata of a guest, or of the hypervisor; `audit` as above. Returns the whole map after the change.
  awaitable<rpc::metadata_map> patch(std::string guest_id, rpc::metadata_patch patch, store::audit_ptr audit,
                                     std::string if_match);
  awaitable<rpc::metadata_map> patch(rpc::metadata_patch patch, store::audit_ptr audit);

  /// Stores an entry of the audit by itself.
  awaitable<bool> note(store::audit_ptr entry);

  /// Removes this host from the cluster, until the next start. Throws `conflict` while guests live here, unless
  /// `force`; `unavailable` if the cluster is not reached; `not_configured` without one.
  awaitable<bool> leave_cluster(bool force);

  /// Begins or ends maintenance; `audit` as above. Returns it as it is then.
  awaitable<store::maintenance> set_maintenance(store::maintenance wanted, store::audit_ptr audit);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace mistify::http
