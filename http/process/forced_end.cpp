#include "http/process/forced_end.hpp"

#include "rpc/base/log.hpp"
#include "rpc/base/thread_name.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <semaphore>
#include <thread>
#include <utility>

namespace mistify::http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// False if none came in time.
bool signal_comes(const sigset_t& signals, milliseconds longest) {
  const auto until = steady_clock::now() + longest;
  for (;;) {
    const auto left = std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(until - steady_clock::now()));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec most{seconds.count(), std::chrono::nanoseconds{left - seconds}.count()};
    const int number = ::sigtimedwait(&signals, nullptr, &most);
    if (number == SIGTERM || number == SIGINT)
      return true;
    if (left == milliseconds{0}) // else a SIGHUP, or an interruption
      return false;
  }
}

} // namespace

struct forced_end::state {
  std::binary_semaphore allowed{0};
  milliseconds longest{0}; ///< set before `allowed`
};

void forced_end::exit(bool by_signal) {
  if (by_signal)
    rpc::log::warning("second signal: ending at once");
  else
    rpc::log::error("the orderly stop takes too long: ending at once");
  rpc::log::flush();
  std::_Exit(EXIT_FAILURE);
}

forced_end::forced_end(sigset_t signals, std::function<void(bool)> end) : shared_{std::make_shared<state>()} {
  std::thread{[signals, end = std::move(end), shared = shared_] {
    rpc::name_thread("forced-end");
    shared->allowed.acquire();
    end(signal_comes(signals, shared->longest));
  }}.detach();
}

void forced_end::allow(milliseconds longest) {
  shared_->longest = longest;
  shared_->allowed.release();
}

} // namespace mistify::http
