#include "rpc/agents/examples/simple_agent/simple_agent.hpp"

#include <random>
#include <stdexcept>

namespace mistify::agents {

namespace {

bool happens(unsigned percent) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<unsigned>{0, 99}(random) < percent;
}

} // namespace

simple_agent::simple_agent(const rpc::listen_at& where, unsigned percent_failure) : server_{where} {
  const auto act = [percent_failure](const rpc::guest_request& request) {
    if (happens(percent_failure))
      throw std::runtime_error{request.action + " failed by chance"};
    return rpc::guest_response{request.guest};
  };
  for (const char* action :
       {"Create", "Delete", "Reboot", "Restart", "Poweroff", "Shutdown", "Start", "Run", "Suspend"})
    server_.handle<rpc::guest_request, rpc::guest_response>(std::string{"SimpleAgent."} + action, act);
  server_.handle<rpc::guest_request, rpc::guest_response>("Simple.DoStuff", act);
}

} // namespace mistify::agents
