#include "http/cli/mistify/download.hpp"

#include "http/cli/mistify/bar.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/sparse_writer.hpp"
#include "http/client/job_waiter.hpp"

#include <chrono>
#include <thread>

namespace mistify::cli {

namespace {

using clock = std::chrono::steady_clock;

/// One attempt. `got` counts what came.
void attempt(client::client& agent, const wanted_download& what, bar& line, std::uint64_t& got,
             const client::byte_receiver& to) {
  constexpr std::chrono::milliseconds between_bars{200};
  advance shown{"download " + what.snapshot, {}, "bytes", 0, 0};
  clock::time_point last{};
  got = 0;
  agent.download_snapshot(
    what.guest, what.snapshot, what.disk,
    [&](std::string_view piece) {
      got += piece.size();
      shown.done = got;
      if (clock::now() - last >= between_bars) {
        last = clock::now();
        line.show(shown);
      }
      return to(piece);
    },
    [&](std::optional<std::uint64_t> length) { shown.total = length.value_or(0); });
}

void to_file(context& cx, const wanted_download& what, bar& line) {
  sparse_writer file{what.place};
  std::uint64_t got = 0;
  fill(file, [&](const client::byte_receiver& to) { attempt(cx.agent(), what, line, got, to); },
       {clock::now, [](std::chrono::milliseconds pause) { std::this_thread::sleep_for(pause); }});
}

} // namespace

void fill(sparse_writer& file, const download_attempt& attempt, const download_time& time) {
  constexpr std::chrono::milliseconds between_attempts{500};
  auto last = time.now(); // of a byte that no earlier attempt had
  for (std::uint64_t furthest = 0;;) {
    try {
      attempt([&](std::string_view piece) {
        file.write(piece);
        if (file.size() > furthest) {
          furthest = file.size();
          last = time.now();
        }
        return true;
      });
      file.finish();
      return;
    } catch (const client::failure& e) {
      // The first connection that fails is no restart of the agent.
      const bool began = file.size() > 0 || file.restarts() > 0;
      if (!began || !client::looks_like_restart(e) || time.now() - last >= client::client::outage)
        throw;
    }
    file.restart();
    time.pause(between_attempts);
  }
}

void download(context& cx, const wanted_download& what) {
  bar line;
  if (!what.place.empty()) {
    to_file(cx, what, line);
    return;
  }
  if (output_is_terminal())
    throw give_up{status::usage, "a snapshot is not for a terminal", "name a file, or redirect the output"};
  std::uint64_t got = 0;
  attempt(cx.agent(), what, line, got, [](std::string_view piece) {
    print(piece);
    return true;
  });
  flush_output();
}

} // namespace mistify::cli
