#include "actors/cluster/registrar.hpp"

#include "rpc/base/log.hpp"
#include "rpc/base/thread_name.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace mistify::actors::cluster {

namespace {

using clock = registration::clock;
using namespace std::chrono_literals;

constexpr auto longest_wait = std::chrono::hours{1};

std::function<double()> chance() {
  return [random = std::mt19937{std::random_device{}()}]() mutable {
    return std::uniform_real_distribution<>{0, 1}(random);
  };
}

} // namespace

registrar::registrar(registration_settings settings, std::unique_ptr<rpc::etcd::client> etcd, status& shown,
                     host_source& source)
  : etcd_{std::move(etcd)}, source_{source},
    registration_{std::move(settings), *etcd_, shown, chance()}, thread_{[this] {
      rpc::name_thread("cluster");
      run();
    }} {}

void registrar::stop() {
  etcd_->cancel(true);
  end();
}

void registrar::end() {
  stopping_ = true;
  etcd_->wake();
  if (thread_.joinable())
    thread_.join();
}

void registrar::note_change() noexcept {
  if (!changed_.exchange(true))
    etcd_->wake();
}

void registrar::leave(on_done done) {
  {
    const std::lock_guard lock{mutex_};
    if (!stopping_ && !leave_) {
      leave_ = std::move(done);
      done = nullptr;
    }
  }
  if (done)
    return done(rpc::failure{rpc::errc::unavailable, "the host is leaving the cluster, or the agent is stopping"});
  etcd_->wake();
}

void registrar::answer_leave() {
  std::optional<on_done> done;
  {
    const std::lock_guard lock{mutex_};
    done = std::exchange(leave_, std::nullopt);
  }
  if (!done)
    return;
  try {
    if (stopping_)
      throw rpc::failure{rpc::errc::unavailable, "the agent is stopping"};
    registration_.leave(clock::now());
    (*done)(true);
  } catch (const rpc::failure& e) {
    (*done)(e);
  }
}

void registrar::turn() {
  if (changed_.exchange(false))
    registration_.note_change(clock::now());
  if (clock::now() >= registration_.due())
    registration_.step(clock::now(), source_.look());
  answer_leave();
  const auto due = registration_.due();
  const auto left = due == clock::time_point::max() ? longest_wait : due - clock::now();
  const auto longest = std::clamp<clock::duration>(left, 0ms, longest_wait);
  registration_.take(clock::now(), etcd_->wait(std::chrono::ceil<std::chrono::milliseconds>(longest)));
}

void registrar::run() {
  while (!stopping_) {
    try {
      turn();
    } catch (const rpc::failure& e) {
      registration_.note_failure(clock::now(), e);
    } catch (const std::exception& e) {
      registration_.note_failure(clock::now(), {rpc::errc::internal, e.what()});
    }
  }
  answer_leave();
  if (resigning_)
    let_lease_go();
  const std::lock_guard lock{mutex_};
  ended_ = true;
  over_.notify_all();
}

void registrar::let_lease_go() {
  {
    const std::lock_guard lock{mutex_};
    if (given_up_)
      return;
    etcd_->cancel(false);
  }
  try {
    registration_.resign();
  } catch (const rpc::failure& e) {
    rpc::log::warning("the lease in the cluster was not revoked, and expires", {{"error", e.message()}});
  }
}

/// A request that waits for an etcd that is away is given up first; the one that revokes the lease has `longest`.
void registrar::resign(std::chrono::milliseconds longest) {
  resigning_ = true;
  etcd_->cancel(true); // before the thread sees that it is to stop, and takes this back
  stopping_ = true;
  etcd_->wake();
  {
    std::unique_lock lock{mutex_};
    given_up_ = !over_.wait_for(lock, longest, [this] { return ended_; });
    etcd_->cancel(true);
  }
  end();
}

} // namespace mistify::actors::cluster
