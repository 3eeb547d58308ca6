#include "http/cli/mistify/bar.hpp"
#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/runs.hpp"
#include "rpc/model/power.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

/// Emptying a host.
namespace mistify::cli {

namespace {

using clock = std::chrono::steady_clock;

rows running_of(const rpc::json::document& list) {
  rows all;
  for (const rpc::json::node& one : list.root().items("guests"))
    if (rpc::is_on(client::text_of(one, "state")))
      all.emplace_back(one);
  return all;
}

std::size_t count_running(context& cx) {
  const auto got = cx.agent().guests({{"fields", "id,state"}});
  return running_of(client::decode<rpc::json::document>(got.body)).size();
}

std::string text_of(std::size_t guests) {
  return std::to_string(guests) + (guests == 1 ? " guest still runs" : " guests still run");
}

/// Returns how many run in the end: 0, unless the time is over before.
std::size_t wait_until_empty(context& cx, std::optional<std::uint64_t> seconds) {
  constexpr std::chrono::milliseconds pace{1'000};
  const auto begin = clock::now();
  bar line;
  for (auto now = count_running(cx); now > 0; now = count_running(cx)) {
    if (seconds && clock::now() - begin >= std::chrono::seconds{*seconds})
      return now;
    line.show({"drain", text_of(now), "", 0, 0});
    std::this_thread::sleep_for(pace);
  }
  return 0;
}

} // namespace

int drain_host(context& cx) {
  const auto how = cx.output(format::table, {"id", "name", "state", "memory", "cpu", "type"});
  const auto within = cx.number("--within", 1, 604'800);
  if (within && !cx.args.has("--wait"))
    throw give_up{status::usage, "--within goes with --wait"};
  begin_maintenance(cx);
  if (cx.args.has("--wait")) {
    const auto left = wait_until_empty(cx, within);
    if (left == 0)
      return code(status::done);
    throw give_up{status::failed, text_of(left) + " after " + std::to_string(*within) + " s",
                  "`mistify host drain` lists what runs"};
  }
  const auto list = client::decode<rpc::json::document>(cx.agent().guests().body);
  print_rows("guest", running_of(list), how);
  return code(status::done);
}

} // namespace mistify::cli
