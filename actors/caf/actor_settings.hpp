#pragma once

#include "actors/messages.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/thread_name.hpp"

#include <caf/all.hpp>
#include <cstdint>
#include <string>

namespace mistify::actors {

/// Names the threads of actors.
struct names_threads : caf::thread_hook {
  void init(caf::actor_system&) override {}
  void thread_started() override { rpc::name_thread("actors"); }
  void thread_terminates() override {}
};

/// Settings of the agent's actor system. Two workers with one shared queue were the fastest on a small host: no idle CPU,
/// and a second hop costs almost nothing.
struct actor_settings : caf::actor_system_config {
  actor_settings() {
    add_thread_hook<names_threads>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{2});
    set("scheduler.max-throughput", std::size_t{300});
    add_message_types<caf::id_block::mistify>();
    add_error_category(caf::atom("mistify"), [](std::uint8_t code, caf::atom_value, const caf::message& context) {
      return std::string{rpc::to_string(static_cast<rpc::errc>(code))} + caf::to_string(context);
    });
  }
};

} // namespace mistify::actors
