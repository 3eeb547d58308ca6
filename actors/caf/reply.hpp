#pragma once

#include "actors/caf/caller_runs.hpp"
#include "actors/messages.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace mistify::actors {

/// A promise to respond to a message. CAF's own response promise forgets the requester when it is dropped, and only
/// its actor may deliver it. This one responds with an error when its last copy is destroyed, so that an actor's
/// death is visible to requesters, and any thread may deliver. Copies share the promise; the first delivery counts.
template <class T>
class reply {
public:
  /// Takes the promise of the message that `self` is handling.
  template <class Self>
  explicit reply(Self* self) : owed_{std::make_shared<debt>(self->make_response_promise())} {}

  /// May run the requester on this thread: see `send_from_outside`. The caller holds no lock.
  void deliver(T value) const { owed_->pay(caf::make_message(std::move(value))); }
  void deliver(caf::error e) const { owed_->pay(caf::make_message(std::move(e))); }
  void deliver(const rpc::failure& e) const { deliver(to_error(e)); }

  /// For the `return` of a message handler: the response is delivered later.
  caf::result<T> later() const { return caf::delegated<T>{}; }

private:
  struct debt {
    explicit debt(const caf::response_promise& p) : asker{p.source()}, id{p.id()} {}
    debt(const debt&) = delete;
    debt& operator=(const debt&) = delete;
    /// The promise may be dropped under a lock, so an actor that had the request is left to the scheduler.
    ~debt() {
      if (!paid.exchange(true) && asker)
        asker->enqueue(nullptr, id.response_id(),
                       caf::make_message(to_error({rpc::errc::internal, "the actor that had the request ended"})),
                       nullptr);
    }

    void pay(caf::message with) {
      if (!paid.exchange(true) && asker)
        send_from_outside(*asker->get(), nullptr, id.response_id(), std::move(with));
    }

    caf::strong_actor_ptr asker;
    caf::message_id id;
    std::atomic<bool> paid{false};
  };
  std::shared_ptr<debt> owed_;
};

} // namespace mistify::actors
