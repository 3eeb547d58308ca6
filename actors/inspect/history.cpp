#include "actors/inspect/history.hpp"

#include "rpc/base/cut_text.hpp"

#include <utility>

namespace mistify::actors {

namespace {

/// The maximum size of an event's text, in bytes: an error may quote a sub-agent's answer.
constexpr std::size_t longest_text = 4096;

} // namespace

history::content& history::filled() {
  if (!content_)
    content_ = std::make_unique<content>();
  return *content_;
}

void history::note(time now, std::string text, std::string job) {
  auto& [ring, next, last_error, errors] = filled();
  rpc::shorten_text(text, longest_text);
  event happened{now, std::move(text), std::move(job)};
  if (ring.size() < most_) {
    ring.push_back(std::move(happened));
    return;
  }
  ring[next] = std::move(happened);
  next = (next + 1) % most_;
}

void history::note_error(time now, const std::string& text, const std::string& job) {
  filled().last_error = {now, rpc::cut_text(text, longest_text), job};
  ++content_->errors;
  note(now, text, job);
}

const history::event* history::last_error() const noexcept {
  return errors() > 0 ? &content_->last_error : nullptr;
}

void history::tell(actor_status& to, time now) const {
  if (!content_)
    return;
  const auto& ring = content_->ring;
  to.history.reserve(ring.size());
  for (std::size_t i = ring.size(); i > 0; --i)
    to.history.push_back(ring[(content_->next + i - 1) % ring.size()].told(now));
}

} // namespace mistify::actors
