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

/// The answer of an actor that a handler waits for: `auto value = co_await bridge.ask(…)`. Throws the actor's failure.
/// The handler goes on on the thread that brings the answer, an actor's or the bridge's: it must not block there.
template <class T>
class [[nodiscard]] pending {
public:
  using told = std::function<void(rpc::outcome<T>)>;

  /// `send` starts the work; it calls what it is given exactly once, on any thread.
  explicit pending(std::function<void(told)> send) : send_{std::move(send)} {}

  bool await_ready() const noexcept { return false; }

  void await_suspend(std::coroutine_handle<> handler) {
    // The answer may come, and this object go, while `send` still runs: it must not live in here.
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

  /// What starts the work, for those who put answers together instead of awaiting them.
  std::function<void(told)> sender() && noexcept { return std::move(send_); }

private:
  std::function<void(told)> send_;
  std::optional<rpc::outcome<T>> answer_;
};

/// Two questions at once: both outcomes, when the later one is there.
template <class T>
pending<std::pair<rpc::outcome<T>, rpc::outcome<T>>> both(pending<T> a, pending<T> b) {
  using pair = std::pair<rpc::outcome<T>, rpc::outcome<T>>;
  struct gathering {
    typename pending<pair>::told told;
    pair answers{};
    std::atomic<int> missing{2};

    void came() {
      if (--missing == 0)
        told(std::move(answers));
    }
  };
  return pending<pair>{[ask_a = std::move(a).sender(), ask_b = std::move(b).sender()](auto told) {
    const auto all = std::make_shared<gathering>();
    all->told = std::move(told);
    ask_a([all](rpc::outcome<T> answer) { all->answers.first = std::move(answer), all->came(); });
    ask_b([all](rpc::outcome<T> answer) { all->answers.second = std::move(answer), all->came(); });
  }};
}

/// Between waiting HTTP requests and the actors: every question has a deadline, and an answer, be it an error. A waiting
/// request holds no thread. Thread-safe.
class bridge {
public:
  explicit bridge(actors::agent_system& agent);

  ~bridge();

  /// Tells everything that waits, and whatever asks from now on, that the agent stops.
  void close();

  /// Runs an info pipeline on the runner of a guest, or on `agent`; the last stage's result as JSON text.
  pending<std::string> ask(std::string runner, actors::info_request what);

  /// Queues a job on the runner of a guest, or on `agent`.
  pending<store::queued_job> queue(std::string runner, actors::job_request what);

  /// Stores a guest and queues its create.
  pending<store::queued_job> create(rpc::guest guest, actors::job_request what);

  /// Waits for the places that a download needs.
  pending<actors::stream_grant> open_stream(std::string runner, actors::action_ptr what);

  /// Ends a job that is queued or runs; the job as it is then.
  pending<rpc::job> cancel(std::string runner, std::string job_id);

  /// Waits for the end of a job, so long at most: true when it has ended on disk, false when the time was over first or
  /// the runner does not have the job (any more). The handler goes on on a thread that may read the disk.
  pending<bool> await_end(std::string runner, std::string job_id, std::chrono::milliseconds longest);

  /// A commit that lasts longer is a log that hangs: `alive`.
  static constexpr std::chrono::minutes longest_commit{2};

  /// True once the actors that everything passes through have answered; false if they did not in time. A log that is
  /// inside a commit counts as well, up to `longest_commit`: a slow disk is no reason to start the agent again.
  pending<bool> alive(std::chrono::milliseconds longest);

  /// True once the database has taken a write, or took one a moment ago. Throws `storage_failed` when it does not.
  pending<bool> writable(std::chrono::milliseconds longest);

  /// What all actors are at, what is stuck first; those that do not answer soon are told as silent.
  pending<actors::look_ptr> look();
  /// The one of that id, with its history. Throws `not_found`.
  pending<actors::look_ptr> look_at(std::string id);

  /// Takes the state that a guest went into by itself.
  pending<store::reported_state> report(std::string guest_id, std::string state);

  /// Takes what the stage of a running job tells of itself.
  pending<rpc::job> report_progress(std::string job_id, std::string message);

  /// Adds, removes or changes a bearer token; the token as it is then, or was.
  pending<store::token> change_token(store::token_change change);

  /// Changes metadata of a guest, or of the hypervisor; the whole map as it is then.
  pending<rpc::metadata_map> patch(std::string guest_id, rpc::metadata_patch patch);
  pending<rpc::metadata_map> patch(rpc::metadata_patch patch);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace mistify::http
