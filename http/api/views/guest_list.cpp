#include "http/api/views/guest_list.hpp"

#include "http/api/views/public_guest.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

namespace {

/// Encoding this many bytes takes some hundredths of a millisecond, which is not worth a thread switch.
constexpr std::size_t long_text = 32 * 1024;

std::string encode(const std::vector<store::guest_ptr>& guests) {
  rpc::json::writer out;
  out.begin_array();
  for (const auto& guest : guests)
    out.raw(public_guest(guest->doc));
  out.end_array();
  return std::move(out).str() + '\n';
}

} // namespace

guest_list::~guest_list() {
  thread_.stop();
}

bool guest_list::is_long() const noexcept {
  return guests_.bytes() > long_text;
}

awaitable<guest_list::text> guest_list::get(form wanted) {
  return awaitable<text>{[this, wanted](auto on_done) { ask(wanted, std::move(on_done)); }};
}

void guest_list::ask(form wanted, awaitable<text>::on_done on_done) {
  std::unique_lock lock{mutex_};
  const auto version = guests_.version();
  if (const auto& ready = last_.in(wanted); ready && last_.version >= version) {
    const auto kept = ready;
    lock.unlock();
    return on_done(kept);
  }
  waiting_.push_back({version, wanted, std::move(on_done)});
  if (std::exchange(making_, true))
    return;
  lock.unlock();
  // If no thread is available, the calling thread builds the list.
  if (!thread_.try_post([this] { make_all(); }))
    make_all();
}

void guest_list::make_all() {
  try {
    while (make_next())
      answer_ready();
  } catch (const std::exception&) {
    give_up({rpc::errc::unavailable, "no memory for the list of guests"});
  }
}

/// Builds what a reader waits for; returns false if none waits. A result serves all readers that arrived before it
/// was begun. Readers of the packed form of the current version come first, otherwise continuous changes would delay
/// them for ever.
bool guest_list::make_next() {
  std::unique_lock lock{mutex_};
  if (waiting_.empty()) {
    making_ = false;
    return false;
  }
  const bool served = std::ranges::any_of(waiting_, [&](const asked& one) { return one.version <= last_.version; });
  const auto plain = last_.plain;
  lock.unlock();
  if (served && plain)
    make_packed(plain);
  else
    make_plain();
  return true;
}

void guest_list::make_plain() {
  const auto now = guests_.list();
  auto made_text = std::make_shared<const std::string>(encode(now.guests));
  const std::lock_guard lock{mutex_};
  last_ = {now.version, std::move(made_text), nullptr};
}

/// Throws `unavailable` if zlib fails.
void guest_list::make_packed(const text& plain) {
  auto packed = gzip_.gzip(*plain);
  if (!packed)
    throw rpc::failure{rpc::errc::unavailable, "no memory for zlib"};
  packed->shrink_to_fit();
  auto made_text = std::make_shared<const std::string>(*std::move(packed));
  const std::lock_guard lock{mutex_};
  last_.packed = std::move(made_text);
}

void guest_list::answer_ready() {
  std::unique_lock lock{mutex_};
  const auto ready = last_;
  std::vector<asked> on_done;
  std::erase_if(waiting_, [&](asked& one) {
    if (one.version > ready.version || !ready.in(one.wanted))
      return false;
    on_done.push_back(std::move(one));
    return true;
  });
  lock.unlock();
  for (const auto& one : on_done)
    one.on_done(ready.in(one.wanted));
}

void guest_list::give_up(const rpc::failure& why) {
  std::unique_lock lock{mutex_};
  making_ = false;
  const auto on_done = std::exchange(waiting_, {});
  lock.unlock();
  for (const auto& one : on_done)
    one.on_done(why);
}

} // namespace mistify::http
