#include "actors/service/service_desk.hpp"

#include "rpc/base/overloaded.hpp"

#include <utility>

namespace mistify::actors {

namespace {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;

constexpr auto never = service_desk::time::max();

/// The maximum number of waiting calls that a thread starts before it returns to its own work.
constexpr std::size_t most_at_once = 16;

/// Returns the message of a failure; "" for a success and for a cancelled call, which is no fault.
std::string error_text(const rpc::outcome<rpc::json::document>& result) {
  const auto* e = std::get_if<failure>(&result);
  return e && e->code() != errc::cancelled ? e->message() : std::string{};
}

failure was_cancelled() {
  return {errc::cancelled, "cancelled"};
}

failure stopping() {
  return {errc::unavailable, "the agent is stopping"};
}

} // namespace

service_desk::service_desk(settings with, std::shared_ptr<places> gate, std::shared_ptr<caller> out,
                           const service_metrics& measured)
  : with_{std::move(with)}, gate_{std::move(gate)}, out_{std::move(out)}, measured_{measured}, shown_waiting_{
                                                                                                 measured.waiting()} {}

std::shared_ptr<service_desk> service_desk::open(settings with, std::shared_ptr<places> gate,
                                                 std::shared_ptr<caller> out, const service_metrics& measured) {
  std::shared_ptr<service_desk> made{
    new service_desk{std::move(with), std::move(gate), std::move(out), measured}}; // its constructor is private
  made->gate_->on_free([weak = std::weak_ptr{made}] {
    if (const auto desk = weak.lock())
      desk->start_waiting();
  });
  return made;
}

// -- what comes --------------------------------------------------------------------------------------------------

void service_desk::call(service_call what, answer<rpc::json::document> told) {
  if (closed_)
    return told(stopping());
  if (what.place || what.own_place)
    return start(waiting_call{std::move(what), std::move(told), never});
  if (what.background) {
    what.place = gate_->claim_spare();
    if (!what.place)
      return told(failure{errc::queue_full, "service " + with_.name + " has no place to spare"});
    return start(waiting_call{std::move(what), std::move(told), never});
  }
  what.place = gate_->claim();
  if (what.place->holds()) // the usual case, which `admit` would only find after some moves
    return start(waiting_call{std::move(what), std::move(told), never});
  const auto expires = what.may_expire && what.timeout > 0ms ? with_.now() + what.timeout : never;
  admit(waiting_call{std::move(what), std::move(told), expires});
}

void service_desk::lend(std::string method, std::string guest, bool may_wait, answer<lease> told) {
  work asked = waiting_download{gate_->claim(), std::move(method), std::move(guest), std::move(told)};
  if (may_wait || claim_of(asked).holds())
    return admit(std::move(asked));
  refuse(asked, {errc::queue_full, "service " + with_.name + " has no free place"});
}

void service_desk::await_place(place_request what, answer<place_ptr> told) {
  admit(waiting_job{std::move(what), std::move(told)});
}

/// Starts the work if its claim holds a place, else keeps it until its turn.
void service_desk::admit(work what) {
  if (claim_of(what).holds())
    return leave({std::move(what), std::nullopt});
  std::unique_lock lock{mutex_};
  if (line_.size() >= with_.max_waiting) {
    lock.unlock();
    return refuse(what, {errc::queue_full, "too many calls wait for service " + with_.name});
  }
  put_in_line(std::move(what));
  std::function<void()> tell_watcher;
  if (!std::exchange(sweep_is_coming_, true)) {
    missed_.begin(with_.now());
    tell_watcher = watcher_.waits;
  }
  lock.unlock();
  start_waiting(); // a place may have become free since it was claimed
  if (tell_watcher)
    tell_watcher();
}

void service_desk::put_in_line(work what) {
  if (const auto* job = std::get_if<waiting_job>(&what))
    line_.push_job(job->request.accepted, std::move(what));
  else
    line_.push(std::move(what));
  shown_waiting_.set(line_.size());
}

place_claim& service_desk::claim_of(const work& what) {
  return *std::visit(rpc::overloaded{[](const waiting_call& one) -> const place_ptr& { return one.call.place; },
                                     [](const waiting_download& one) -> const place_ptr& { return one.claim; },
                                     [](const waiting_job& one) -> const place_ptr& { return one.request.claim; }},
                     what);
}

// -- what waits --------------------------------------------------------------------------------------------------

/// Starts what waits, as long as places are free. What it starts may end at once and give its place back, also on another
/// thread: that is looked for here, and not from within.
void service_desk::start_waiting() {
  std::unique_lock lock{mutex_};
  gate_->woken();
  if (std::exchange(starting_, true)) {
    again_ = true;
    return;
  }
  std::size_t begun = 0;
  do {
    again_ = false;
    while (auto next = next_in_line()) {
      lock.unlock();
      leave_or_fail(*std::move(next));
      lock.lock();
      if (++begun == most_at_once && watcher_.goes_on)
        return hand_over(std::move(lock));
    }
  } while (again_);
  starting_ = false;
}

/// Leaves the rest of the line to the watcher: places may become free as fast as this thread takes them.
void service_desk::hand_over(std::unique_lock<std::mutex> held) {
  starting_ = false;
  const auto goes_on = watcher_.goes_on;
  held.unlock();
  goes_on();
}

std::optional<service_desk::leaving> service_desk::next_in_line() {
  if (sweep_is_coming_)
    put_off();
  const bool held = gate_->holds_jobs();
  auto* next = closed_ ? nullptr : line_.front(held);
  if (!next)
    return std::nullopt;
  auto why = why_over(*next, with_.now());
  if (!why && !claim_of(*next).take())
    return std::nullopt;
  leaving found{line_.pop(held), std::move(why)};
  shown_waiting_.set(line_.size());
  return found;
}

/// Why waiting work is not needed any more; null if it is.
std::optional<failure> service_desk::why_over(const work& what, time now) const {
  if (const auto* job = std::get_if<waiting_job>(&what))
    return job->request.cancel.cancelled() ? std::optional{was_cancelled()} : std::nullopt;
  const auto* one = std::get_if<waiting_call>(&what);
  if (!one)
    return std::nullopt;
  if (one->call.cancel.cancelled())
    return was_cancelled();
  if (one->expires > now)
    return std::nullopt;
  // The call was not made: unlike after a time-out of the sub-agent's, a client may ask again without harm.
  return failure{errc::unavailable, "timed out waiting for a free place at service " + with_.name};
}

/// Calls whose time went by while the process was stopped wait on: the places that they wait for may be free in a moment.
void service_desk::put_off() {
  const auto by = missed_.look(with_.now());
  if (by > 0ms)
    line_.drop_if([by](work& what) {
      if (auto* one = std::get_if<waiting_call>(&what); one && one->expires != never)
        one->expires += by;
      return false;
    });
}

bool service_desk::sweep() {
  std::vector<leaving> over;
  std::unique_lock lock{mutex_};
  put_off();
  const auto now = with_.now();
  line_.drop_if([&](work& what) {
    auto why = why_over(what, now);
    const bool is_over = why.has_value();
    if (is_over)
      over.push_back({std::move(what), std::move(why)});
    return is_over;
  });
  shown_waiting_.set(line_.size());
  sweep_is_coming_ = !line_.empty();
  const bool more = sweep_is_coming_;
  lock.unlock();
  for (auto& one : over)
    leave_or_fail(std::move(one));
  start_waiting(); // should a wake-up have been lost
  return more;
}

void service_desk::attach(watcher by) {
  std::unique_lock lock{mutex_};
  watcher_ = std::move(by);
  sweep_is_coming_ = !line_.empty();
  const auto waits = sweep_is_coming_ ? watcher_.waits : nullptr;
  lock.unlock();
  if (waits)
    waits();
}

// -- what leaves -------------------------------------------------------------------------------------------------

void service_desk::leave(leaving one) {
  if (one.why)
    return refuse(one.what, *one.why);
  std::visit([&](auto& what) { start(std::move(what)); }, one.what);
}

void service_desk::leave_or_fail(leaving one) noexcept {
  try {
    leave(std::move(one));
  } catch (const std::exception&) {
    // No memory. The deadline of the request answers its caller; the rest of the line goes on.
  }
}

/// Answers work that does not get a place.
void service_desk::refuse(const work& what, const failure& why) const {
  measured_.not_called(why);
  std::visit([&](const auto& one) { one.told(why); }, what);
}

/// Gives the place back before it calls `told`, whose receiver may ask again, and starts waiting work after that, so that
/// the answer does not wait for it.
void service_desk::start(waiting_call what) {
  const auto number = note_flying(what.call.method, what.call.guest, what.call.job);
  auto place = std::exchange(what.call.place, nullptr);
  out_->start(std::move(what.call),
              [self = shared_from_this(), told = std::move(what.told), number, place = std::move(place),
               begin = std::chrono::steady_clock::now()](rpc::outcome<rpc::json::document> result) mutable {
                self->measured_.called(result, std::chrono::steady_clock::now() - begin);
                self->left(number, error_text(result));
                const auto wake = drop(std::move(place));
                if (auto* e = std::get_if<failure>(&result))
                  e->through("service " + self->with_.name);
                told(std::move(result));
                if (wake)
                  wake();
              });
}

/// The last copy of the lease gives the place back.
void service_desk::start(waiting_download what) {
  const auto number = note_flying(std::move(what.method), std::move(what.guest));
  what.told(lease{static_cast<const void*>(this),
                  [self = shared_from_this(), number, place = std::move(what.claim)](const void*) mutable {
                    self->left(number, {});
                    place.reset();
                  }});
}

/// A runner that does not need the place any more drops the answer, which gives the place back.
void service_desk::start(waiting_job what) {
  what.told(std::move(what.request.claim));
}

/// Returns the number that ends it.
std::uint64_t service_desk::note_flying(std::string method, std::string guest, std::string job) {
  const std::lock_guard lock{mutex_};
  flying_.emplace(++last_number_, in_flight{std::move(method), std::move(guest), std::move(job), with_.now()});
  return last_number_;
}

void service_desk::left(std::uint64_t number, const std::string& error) {
  std::unique_lock lock{mutex_};
  const auto ended = flying_.extract(number);
  if (error.empty() || !watcher_.failed)
    return;
  const auto failed = watcher_.failed;
  lock.unlock();
  const auto& what = ended.mapped();
  failed(what.method + ": " + error + ", after " + in_words(with_.now() - what.since), what.job);
}

// -- for people who look inside ----------------------------------------------------------------------------------

bool service_desk::busy() const {
  const std::lock_guard lock{mutex_};
  return !line_.empty() || !flying_.empty();
}

actor_status::waiting service_desk::shown(const work& what) {
  return std::visit(rpc::overloaded{[](const waiting_call& one) {
                                      return actor_status::waiting{one.call.job, one.call.method};
                                    },
                                    [](const waiting_download& one) {
                                      return actor_status::waiting{{}, one.method};
                                    },
                                    [](const waiting_job& one) {
                                      return actor_status::waiting{one.request.job, one.request.method};
                                    }},
                    what);
}

void service_desk::tell(actor_status& to, bool in_full) const {
  const auto now = with_.now();
  const std::lock_guard lock{mutex_};
  to.throttles.push_back({"calls", gate_->held(), gate_->width(), line_.size(), with_.max_waiting});
  to.calls_out = flying_.size();
  for (const auto& [number, what] : flying_) {
    if (!in_full && to.calls.size() == most_told)
      break;
    to.calls.push_back({with_.name, what.method, what.guest, what.job, now - what.since});
  }
  to.queued = line_.size();
  line_.visit([&](const work& what) {
    to.queue.push_back(shown(what));
    return to.queue.size() < (in_full ? most_told_in_full : most_told);
  });
}

} // namespace mistify::actors
