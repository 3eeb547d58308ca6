#pragma once

#include <atomic>
#include <thread>

namespace mistify::agents {

/// The thread on which libvirt notices closed connections, keeps them alive and calls back about events. libvirt allows
/// one a process; it has to be there before the first connection is opened, and while any is open.
class event_loop {
public:
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

private:
  void run();

  std::atomic<bool> stopping_{false};
  int pulse_ = -1; ///< libvirt's number of the timer that wakes the loop for its end
  std::thread thread_;
};

} // namespace mistify::agents
