#include "http/client/event_stream.hpp"

#include "http/client/job_waiter.hpp"

#include <chrono>
#include <thread>

namespace mistify::client {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t longest_block = 1 << 20;
/// The agent writes a comment every 15 s: twice without one, and the connection is dead.
constexpr std::chrono::milliseconds idle{35'000};
constexpr std::chrono::milliseconds between_attempts{300};

} // namespace

bool event_parser::feed(std::string_view piece, const std::function<bool(const block&)>& to) {
  for (const char c : piece) {
    if (++size_ > longest_block)
      throw failure{fault::not_agent, "an event is over 1 MB: this is no agent"};
    if (c != '\n') {
      line_ += c;
      continue;
    }
    if (line_.ends_with('\r'))
      line_.pop_back();
    if (!line_.empty()) {
      take_line(line_);
      line_.clear();
      continue;
    }
    const auto done = std::exchange(now_, {});
    size_ = 0;
    if ((!done.data.empty() || !done.place.empty()) && !to(done))
      return false;
  }
  return true;
}

void event_parser::take_line(std::string_view line) {
  const auto end = line.find(':');
  const auto field = line.substr(0, end);
  auto value = end == line.npos ? std::string_view{} : line.substr(end + 1);
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (field == "id")
    now_.place = value;
  else if (field == "event")
    now_.type = value;
  else if (field == "data")
    now_.data.append(now_.data.empty() ? "" : "\n").append(value);
}

event_stream::event_stream(client& from, query filter, std::string behind)
  : from_{from}, filter_{std::move(filter)}, place_{std::move(behind)} {}

bool event_stream::take(const event_parser::block& one, const std::function<bool(const event&)>& to) {
  bool more = true;
  if (!one.data.empty())
    more = to(decode_event(one.place, one.type.empty() ? "message" : one.type, one.data));
  if (!one.place.empty()) // after the event: it counts as read when it was
    place_ = one.place;
  return more;
}

/// One connection. Returns false if `to` has had enough.
bool event_stream::connect(const std::function<bool(const event&)>& to, const std::function<void()>& opened) {
  message what{"GET", with_query("/events", filter_), {}, {}};
  if (!place_.empty())
    what.headers.emplace("Last-Event-ID", place_);
  parser_.reset();
  bool more = true;
  const auto got = from_.link().stream(
    what,
    [&](std::string_view piece) {
      more = parser_.feed(piece, [&](const event_parser::block& one) { return take(one, to); });
      return more;
    },
    idle, [&](const reply&) { opened(); });
  expect_success(got);
  return more;
}

void event_stream::read(const std::function<bool(const event&)>& to, const std::function<void()>& opened) {
  auto last = clock::now(); // when a connection stood
  for (bool stood = false;;) {
    bool stands = false;
    const auto begun = [&] {
      stands = true;
      if (!std::exchange(stood, true) && opened)
        opened();
    };
    try {
      if (!connect(to, begun))
        return;
      last = clock::now(); // the agent ended the stream, as it does when it stops
    } catch (const failure& e) {
      if (stands)
        last = clock::now();
      if (!stood || !looks_like_restart(e) || clock::now() - last >= client::outage)
        throw;
    }
    std::this_thread::sleep_for(between_attempts);
  }
}

} // namespace mistify::client
