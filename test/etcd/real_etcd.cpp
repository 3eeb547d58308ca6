#include "test/etcd/real_etcd.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <fcntl.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace mistify::test {

namespace {

using namespace std::chrono_literals;
constexpr auto longest_start = 30s;

bool is_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return bound;
}

/// Keeps a port from other test programs while its member is down. Null if one of them has it.
rpc::unique_fd claim(std::uint16_t port) {
  rpc::unique_fd held{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const auto text = "mistify-test-port-" + std::to_string(port);
  text.copy(name.sun_path + 1, sizeof name.sun_path - 1); // an abstract name, which goes with the program
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  const bool bound = ::bind(held.get(), reinterpret_cast<const sockaddr*>(&name), size) == 0;
  return bound ? std::move(held) : rpc::unique_fd{};
}

/// Below the ports that the kernel gives to clients.
std::uint16_t next_port(std::vector<rpc::unique_fd>& claims) {
  static std::atomic<unsigned> turn{static_cast<unsigned>(::getpid()) * 16};
  for (;;) {
    const auto port = static_cast<std::uint16_t>(20'000 + turn++ % 12'000);
    if (auto held = claim(port); held && is_free(port)) {
      claims.push_back(std::move(held));
      return port;
    }
  }
}

std::string output_of(const std::string& command, bool& worked) {
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer{};
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), n);
  worked = ::pclose(pipe) == 0;
  return text;
}

std::string at(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

} // namespace

real_etcd::real_etcd(options wanted) : options_{std::move(wanted)}, pids_(options_.members, -1) {
  for (std::size_t i = 0; i < options_.members; ++i) {
    ports_.push_back(next_port(claims_));
    peer_ports_.push_back(next_port(claims_));
    urls_.push_back(options_.scheme + "://" + at(ports_.back()));
  }
  for (std::size_t i = 0; i < options_.members; ++i)
    launch(i);
  for (std::size_t i = 0; i < options_.members; ++i)
    await(i);
}

real_etcd::~real_etcd() {
  for (std::size_t i = 0; i < pids_.size(); ++i)
    kill(i);
}

void real_etcd::launch(std::size_t member) {
  const auto name = "n" + std::to_string(member);
  std::string all;
  for (std::size_t i = 0; i < peer_ports_.size(); ++i)
    all += (i ? "," : "") + std::string{"n"} + std::to_string(i) + "=http://" + at(peer_ports_[i]);
  const auto peer = "http://" + at(peer_ports_[member]);
  std::vector<std::string> words{"etcd",
                                 "--name",
                                 name,
                                 "--data-dir",
                                 (folder_.path() / name).string(),
                                 "--listen-client-urls",
                                 urls_[member],
                                 "--advertise-client-urls",
                                 urls_[member],
                                 "--listen-peer-urls",
                                 peer,
                                 "--initial-advertise-peer-urls",
                                 peer,
                                 "--initial-cluster",
                                 all,
                                 "--log-level",
                                 "error"};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto log = (folder_.path() / (name + ".log")).string();
  const pid_t parent = ::getpid();
  pids_[member] = ::fork();
  if (pids_[member] != 0)
    return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int to = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(to, STDOUT_FILENO);
  ::dup2(to, STDERR_FILENO);
  if (::getppid() == parent)
    ::execvp("etcd", argv.data());
  ::_exit(127);
}

void real_etcd::await(std::size_t member) const {
  const auto end = std::chrono::steady_clock::now() + longest_start;
  bool worked = false;
  while (!worked && std::chrono::steady_clock::now() < end) {
    if (::waitpid(pids_[member], nullptr, WNOHANG) == pids_[member])
      throw std::runtime_error{"etcd ended at its start: is etcd-server installed?"};
    static_cast<void>(output_of("curl -sfk -m 2 " + urls_[member] + "/health 2>&1", worked));
    if (!worked)
      std::this_thread::sleep_for(50ms);
  }
  if (!worked)
    throw std::runtime_error{"etcd did not serve in time"};
}

void real_etcd::kill(std::size_t member) {
  const auto pid = std::exchange(pids_[member], -1);
  if (pid < 0)
    return;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

void real_etcd::start(std::size_t member) {
  launch(member);
  await(member);
}

/// Together: none of several serves before most of them run.
void real_etcd::start_all() {
  for (std::size_t i = 0; i < pids_.size(); ++i)
    if (pids_[i] < 0)
      launch(i);
  for (std::size_t i = 0; i < pids_.size(); ++i)
    await(i);
}

std::string real_etcd::fetch(const std::string& path) const {
  bool worked = false;
  return output_of("curl -sk -m 5 '" + urls_.front() + path + "'", worked);
}

void real_etcd::freeze(std::size_t member) const {
  ::kill(pids_[member], SIGSTOP);
  ::waitpid(pids_[member], nullptr, WUNTRACED); // until all of its threads are stopped
}

void real_etcd::thaw(std::size_t member) const {
  ::kill(pids_[member], SIGCONT);
}

std::size_t real_etcd::leader() const {
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    bool worked = false;
    const auto other = output_of("curl -sk -m 2 -XPOST -d '{}' " + urls_[i] + "/v3/maintenance/status", worked);
    const auto member = other.find("\"member_id\":\""), leads = other.find("\"leader\":\"");
    if (member != other.npos && leads != other.npos &&
        other.substr(member + 13, other.find('"', member + 13) - member - 13) ==
          other.substr(leads + 10, other.find('"', leads + 10) - leads - 10))
      return i;
  }
  throw std::runtime_error{"no member leads"};
}

std::string real_etcd::ctl(const std::string& arguments) const {
  for (std::size_t i = 0; i < pids_.size(); ++i) {
    if (pids_[i] < 0)
      continue;
    bool worked = false;
    auto text = output_of(
      "ETCDCTL_API=3 etcdctl --insecure-skip-tls-verify --endpoints " + urls_[i] + ' ' + arguments + " 2>&1", worked);
    if (!worked)
      throw std::runtime_error{"etcdctl " + arguments + ": " + text};
    return text;
  }
  throw std::runtime_error{"no member lives"};
}

} // namespace mistify::test
