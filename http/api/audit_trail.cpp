#include "http/api/audit_trail.hpp"

#include "http/server/share_table.hpp"

#include <atomic>
#include <utility>

namespace mistify::http {

struct audit_trail::state {
  explicit state(writer w) : write{std::move(w)} {}

  const writer write;
  request_rates refusals{refusals_per_second};
  std::atomic<std::size_t> waiting{0};
  std::atomic<std::int64_t> missed{0};

  bool admits(const store::audit_entry& what) {
    return what.decision != "refused" || refusals.admit("refused", request_rates::clock::now());
  }
};

audit_trail::audit_trail(writer write) : state_{std::make_shared<state>(std::move(write))} {}

audit_trail::~audit_trail() = default;

void audit_trail::note(store::audit_entry what) {
  if (state_->waiting >= most_waiting || !state_->admits(what)) {
    ++state_->missed;
    return;
  }
  ++state_->waiting;
  what.missed = state_->missed.exchange(0);
  const auto lost = what.missed + 1;
  state_->write(std::make_shared<const store::audit_entry>(std::move(what)), [held = state_, lost](bool written) {
    --held->waiting;
    if (!written)
      held->missed += lost;
  });
}

} // namespace mistify::http
