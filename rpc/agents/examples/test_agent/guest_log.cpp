#include "rpc/agents/examples/test_agent/guest_log.hpp"

#include "rpc/kit/log_request.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>

namespace mistify::agents {

namespace {

constexpr std::uint64_t lines_at_first = 20;

std::string line(std::uint64_t number) {
  return "line " + std::to_string(number) + " of the console\n";
}

/// Waits a second; returns false if the receiver leaves meanwhile.
bool pause(const rpc::byte_sink& to) {
  constexpr int looks = 20;
  constexpr std::chrono::milliseconds between{50};
  for (int i = 0; i < looks; ++i) {
    if (!to({}))
      return false;
    std::this_thread::sleep_for(between);
  }
  return true;
}

bool stream(const rpc::log_request& what, const rpc::byte_sink& to) {
  rpc::byte_window window{what, to};
  const auto left_out = what.tail && *what.tail < lines_at_first ? lines_at_first - *what.tail : 0;
  bool more = what.limit != 0U;
  for (auto n = left_out; more && n < lines_at_first; ++n)
    more = window.add(line(n + 1));
  for (auto n = lines_at_first; more && what.follow && (more = pause(to)); ++n)
    more = window.add(line(n + 1));
  return !window.receiver_left();
}

} // namespace

rpc::http_answer made_up_log(std::string_view body) {
  try {
    const auto what = rpc::decode_log_request(body);
    return {.stream = [what](const rpc::byte_sink& to) { return stream(what, to); }};
  } catch (const std::exception& e) {
    return {.status = 400, .text = e.what()};
  }
}

} // namespace mistify::agents
