#include "rpc/kit/run_agent.hpp"

#include "rpc/base/command_line.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/last_words.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/service_manager.hpp"

#include <pwd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sys/stat.h>
#include <unistd.h>

namespace mistify::rpc {

namespace {

passwd entry_of(const std::string& user) {
  // Before any thread starts, so that the shared buffer does no harm.
  if (const auto* found = ::getpwnam(user.c_str()))
    return *found;
  throw failure{errc::config_invalid, "--allow-user: there is no user " + user};
}

/// A thread that waits for a disk or a library that never answers would hold up the end for ever. Whoever called sees the
/// connection break off, as by a crash.
void end_within(std::chrono::seconds longest) {
  std::signal(SIGALRM, [](int) {
    last_words("a call does not end: ending at once\n");
    ::_exit(EXIT_FAILURE);
  });
  ::alarm(static_cast<unsigned>(longest.count()));
}

} // namespace

void listen_options::add_to(command_line& options) {
  options.option("-p,--port", port, "port on 127.0.0.1, 0 for a free one; every local user may call there");
  options.option("--socket", socket, "path of a unix socket to listen on, in place of the port");
  options.exclude("--port", "--socket");
  options.option("--allow-user", users,
                 "user that may call at the socket, beside root and the own one; may be repeated");
}

listen_at listen_options::place() const {
  listen_at where{port};
  where.socket = socket;
  for (const auto& user : users) {
    const auto entry = entry_of(user);
    where.allowed.push_back(entry.pw_uid);
    if (!where.group)
      where.group = entry.pw_gid;
  }
  if (const auto inherited = service_manager::inherited_sockets(); !inherited.empty())
    where.inherited = inherited.front().fd;
  else if (socket.empty())
    log::warning("listening on TCP, where every local user may call: --socket keeps them out");
  return where;
}

int run_agent(std::string_view name, const std::function<server&()>& make, std::chrono::seconds longest_stop) {
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
    std::cout << name << " listens on " << s.address() << std::endl;
    service_manager::notify("READY=1");
    int which = 0;
    sigwait(&ends, &which);
    end_within(longest_stop);
    s.stop();
    return 0;
  } catch (const std::exception& e) {
    last_words(name, e.what());
    return 1;
  }
}

} // namespace mistify::rpc
