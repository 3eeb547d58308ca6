#include "actors/service/service_table.hpp"

#include "actors/service/service.hpp"
#include "rpc/base/log.hpp"

#include <mutex>
#include <unistd.h>
#include <utility>

namespace mistify::actors {

namespace {

/// The maximum number of calls waiting for one service. A runner has at most one job and `limits.info` requests in
/// flight, so only thousands of guests behind a hanging sub-agent reach it.
constexpr std::size_t most_waiting_calls = 100'000;

rpc::endpoint endpoint_of(const service& s) {
  rpc::endpoint to;
  to.port = s.port;
  to.socket = s.socket;
  if (!s.socket.empty())
    to.owners = {0, ::geteuid()};
  if (s.user)
    to.owners.push_back(*s.user);
  to.path = s.path;
  to.connect_timeout = s.connect_timeout;
  return to;
}

} // namespace

service_table::service_table(caf::actor_system& system, const rpc::call_threads& threads,
                             rpc::metrics::registry& measured, actor_registry& actors)
  : system_{system}, threads_{threads}, measured_{measured}, actors_{actors} {}

void service_table::apply(const config& now) {
  for (const auto& [name, s] : now.services) {
    const auto found = rows_.find(name); // only this thread adds rows
    if (found == rows_.end())
      add(s, now.limit.message_bytes);
    else
      change(found->second, s, now.limit.message_bytes);
  }
}

void service_table::add(const service& s, std::size_t message_bytes) {
  auto client = std::make_shared<rpc::client>(endpoint_of(s));
  const service_metrics measured{measured_, s.name};
  const auto out = std::make_shared<rpc_caller>(client, threads_, message_bytes);
  const auto gate = std::make_shared<places>(s.max_pending, measured.running());
  row made{client, out, gate, service_desk::open({s.name, most_waiting_calls}, gate, out, measured), {}};
  {
    const std::unique_lock lock{mutex_};
    rows_.emplace(s.name, std::move(made));
  }
  start(s.name);
}

void service_table::change(row& of, const service& s, std::size_t message_bytes) {
  if (auto to = endpoint_of(s); of.client->to() != to) {
    auto client = std::make_shared<rpc::client>(std::move(to));
    of.out->use(client);
    const std::unique_lock lock{mutex_};
    of.client.swap(client);
  }
  of.out->bound_messages(message_bytes);
  of.gate->set_width(s.max_pending);
}

void service_table::start(const std::string& name) {
  std::shared_lock reading{mutex_};
  auto& place = rows_.at(name);
  reading.unlock();
  auto actor = system_.spawn(service_behavior, place.desk, &actors_);
  actor->attach_functor([this, name] {
    if (stopping_)
      return;
    rpc::log::error("the actor of a service ended and is replaced", {{"service", name}});
    start(name);
  });
  const std::unique_lock lock{mutex_};
  place.actor = actor;
}

std::size_t service_table::calls_at_a_time() const {
  const std::shared_lock lock{mutex_};
  std::size_t sum = 0;
  for (const auto& [name, r] : rows_)
    sum += r.gate->width();
  return sum;
}

service_handle service_table::find(const std::string& name) const {
  const std::shared_lock lock{mutex_};
  const auto& found = rows_.at(name);
  return {found.actor, found.gate, found.desk};
}

std::shared_ptr<rpc::client> service_table::client_of(const std::string& name) const {
  const std::shared_lock lock{mutex_};
  return rows_.at(name).client;
}

all_jobs_hold service_table::hold_jobs() const {
  const std::shared_lock lock{mutex_};
  all_jobs_hold held;
  for (const auto& [name, r] : rows_)
    held.push_back(r.gate->hold_jobs());
  return held;
}

void service_table::stop() {
  stopping_ = true;
  for (auto& [name, r] : rows_) {
    r.desk->close();
    r.out->cancel_all();
  }
  const std::unique_lock lock{mutex_};
  for (auto& [name, r] : rows_) {
    caf::anon_send_exit(r.actor, caf::exit_reason::user_shutdown);
    r.actor = nullptr;
  }
}

} // namespace mistify::actors
