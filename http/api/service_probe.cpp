#include "http/api/service_probe.hpp"

#include "rpc/net/unix_socket.hpp"

#include <system_error>

namespace mistify::http {

namespace {

using namespace std::chrono_literals;

constexpr auto stays_true = 1s;
/// On the loopback interface a connection succeeds or fails at once; only a full backlog takes longer.
constexpr auto longest_try = 200ms;
constexpr auto longest_look = 2s;

service_probe::service try_one(const actors::service& s, rpc::deadline until) {
  const auto soon = std::min(until, rpc::deadline_after(longest_try));
  const auto made =
    s.socket.empty() ? rpc::tcp_connect("127.0.0.1", s.port, soon, {}) : rpc::unix_connect(s.socket, soon, {});
  return {s.name, s.port, s.socket, bool{made.fd}, made.fd ? "" : std::generic_category().message(made.error)};
}

} // namespace

awaitable<std::vector<service_probe::service>> service_probe::look() {
  return awaitable<std::vector<service>>{[this](auto on_done) {
    if (!threads_.try_post([this, on_done] { on_done(try_all()); }))
      on_done(rpc::failure{rpc::errc::unavailable, "too many ask whether the sub-agents are reachable"});
  }};
}

std::vector<service_probe::service> service_probe::try_all() {
  const std::lock_guard lock{mutex_};
  if (std::chrono::steady_clock::now() - looked_ < stays_true)
    return last_;
  last_.clear();
  const auto until = rpc::deadline_after(longest_look);
  const auto settings = settings_.get();
  for (const auto& [name, s] : settings->services)
    last_.push_back(try_one(s, until));
  looked_ = std::chrono::steady_clock::now();
  return last_;
}

} // namespace mistify::http
