#include "rpc/agents/container/guest_log.hpp"

#include "rpc/agents/container/log_frames.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/time.hpp"

#include <cstdio>
#include <exception>
#include <thread>

namespace mistify::agents::container {

namespace {

using namespace std::chrono_literals;

/// Seconds and nanoseconds, as engines want them; "0" for what is no time.
std::string unix_time(const std::string& text) {
  const auto time = rpc::decode_timestamp(text);
  if (!time)
    return "0";
  const auto since = time->time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  char out[48];
  std::snprintf(out, sizeof out, "%lld.%09lld", static_cast<long long>(seconds.count()),
                static_cast<long long>((since - seconds).count()));
  return out;
}

} // namespace

rpc::http_answer guest_log::answer(std::string_view body) {
  rpc::log_request what;
  try {
    what = rpc::decode_log_request(body);
    expect_guest_id(what.guest);
  } catch (const std::exception& e) {
    return {.status = 400, .text = e.what()};
  }
  if (!containers_.find(what.guest))
    return {.status = 404, .text = "the guest has no container"};
  return {.stream = [this, what = std::move(what)](const rpc::byte_sink& to) { return stream(what, to); }};
}

/// Sends the output since a time, and what follows while the container runs. False if `out` wants no more.
bool guest_log::send_run(const rpc::log_request& what, const container_facts& facts, const std::string& since,
                         const std::function<bool(std::string_view)>& out, const rpc::byte_sink& to) {
  bool more = true, left = false;
  log_frames frames{out};
  engine_request request{
    .path = "/containers/" + facts.key() +
            "/logs?stdout=1&stderr=1&tail=" + (what.tail && since.empty() ? std::to_string(*what.tail) : "all") +
            (what.follow ? "&follow=1" : "") + (since.empty() ? "" : "&since=" + unix_time(since))};
  request.time = 0ms;
  request.data = [&](std::string_view bytes) { return more = facts.tty ? out(bytes) : frames.add(bytes); };
  request.stop = [&] { return left = !to({}); };
  try {
    engine_.stream(std::move(request));
  } catch (const engine_error&) {
    if (!left)
      throw;
  }
  return more && !left;
}

/// Waits until the container runs again; null when it is gone, or the receiver is.
std::optional<container_facts> guest_log::wait_for_run(const std::string& guest, const std::string& after,
                                                       const rpc::byte_sink& to) {
  while (to({})) {
    auto facts = containers_.find(guest);
    if (!facts || (facts->running && facts->started != after))
      return facts;
    std::this_thread::sleep_for(pause_);
  }
  return std::nullopt;
}

bool guest_log::stream(const rpc::log_request& what, const rpc::byte_sink& to) {
  if (what.limit == 0U)
    return true;
  rpc::byte_window window{what, to};
  const auto out = [&](std::string_view bytes) { return window.add(bytes); };
  auto facts = containers_.find(what.guest);
  std::string since;
  while (facts) {
    const auto run = facts->started;
    const bool more = what.tail == 0U && since.empty() && !what.follow ? true : send_run(what, *facts, since, out, to);
    if (!what.follow || !more)
      return !window.receiver_left();
    // What the next run writes is younger than the end of this one.
    if (const auto ended = containers_.find(what.guest); ended && !ended->finished.empty())
      since = ended->finished;
    else
      since = run;
    facts = wait_for_run(what.guest, run, to);
  }
  return true;
}

} // namespace mistify::agents::container
