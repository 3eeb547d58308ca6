#include "rpc/kit/run_agent.hpp"

#include <systemd/sd-daemon.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <sys/stat.h>

namespace mistify::rpc {

int serve_until_signal(std::string_view name, const std::function<server&()>& make) {
  ::umask(077); // files and folders are nobody else's, whoever starts it; what others need is opened by name
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGHUP, SIG_IGN); // there is nothing to be read again
  try {
    auto& s = make();
    s.start();
    std::cout << name << " listens on 127.0.0.1:" << s.port() << std::endl;
    sd_notify(0, "READY=1"); // does nothing where no service manager waits
    int which = 0;
    sigwait(&ends, &which);
    s.stop();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << name << ": " << e.what() << '\n';
    return 1;
  }
}

} // namespace mistify::rpc
