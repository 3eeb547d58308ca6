#include "rpc/agents/libvirt/event_loop.hpp"

#include "rpc/agents/libvirt/handles.hpp"
#include "rpc/base/thread_name.hpp"

#include <mutex>

namespace mistify::agents {

namespace {

void register_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    silence_libvirt();
    must(virInitialize());
    must(virEventRegisterDefaultImpl());
  });
}

} // namespace

event_loop::event_loop() {
  register_once();
  // Without any timer the loop would wait for ever for the first connection.
  pulse_ = must(virEventAddTimeout(
    -1, [](int, void*) {}, nullptr, nullptr));
  thread_ = std::thread{[this] {
    rpc::name_thread("libvirt-events");
    run();
  }};
}

event_loop::~event_loop() {
  stopping_ = true;
  virEventUpdateTimeout(pulse_, 0);
  thread_.join();
  virEventRemoveTimeout(pulse_);
}

void event_loop::run() {
  while (!stopping_)
    virEventRunDefaultImpl();
}

} // namespace mistify::agents
