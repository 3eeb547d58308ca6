#include "sub_agent.hpp"

#include "json_path.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <exception>
#include <poll.h>
#include <sys/socket.h>

namespace mistify::test {

namespace {

using namespace std::chrono_literals;

/// A header's value, "" if absent; names in any case.
std::string header_of(std::string head, std::string name) {
  std::string lower = head;
  for (auto* text : {&lower, &name})
    std::transform(text->begin(), text->end(), text->begin(), [](unsigned char c) { return std::tolower(c); });
  const auto found = lower.find("\r\n" + name + ": ");
  if (found == std::string::npos)
    return "";
  const auto begin = found + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

/// The next request of a connection; false at its end. `waiting` keeps what came too early.
bool read_call(int fd, std::string& waiting, call& into) {
  std::size_t head_end = 0;
  while ((head_end = waiting.find("\r\n\r\n")) == std::string::npos)
    if (!receive_some(fd, waiting, 1h))
      return false;
  const auto head = waiting.substr(0, head_end + 2);
  waiting.erase(0, head_end + 4);
  const auto length_text = header_of(head, "content-length");
  const std::size_t length = length_text.empty() ? 0 : std::stoul(length_text);
  while (waiting.size() < length)
    if (!receive_some(fd, waiting))
      return false;
  into.body = waiting.substr(0, length);
  waiting.erase(0, length);
  into.verb = head.substr(0, head.find(' '));
  into.path = head.substr(into.verb.size() + 1, head.find(' ', into.verb.size() + 1) - into.verb.size() - 1);
  into.content_type = header_of(head, "content-type");
  into.request_id = header_of(head, "x-request-id");
  into.job_id = header_of(head, "x-guest-job-id");
  return true;
}

/// Takes a JSON-RPC envelope apart; what is none stays as it is.
void unwrap(call& asked) {
  asked.method = asked.path;
  asked.params = asked.body;
  try {
    if (at(asked.body, "method") == "(absent)")
      return;
    asked.method = text_at(asked.body, "method");
    asked.params = at(asked.body, "params/0");
    asked.id = at(asked.body, "id");
  } catch (const std::exception&) {
    return; // no JSON: the test sees the body
  }
}

reply default_reply(const call& asked) {
  if (at(asked.params, "guest") != "(absent)")
    return echo(asked);
  return result(asked, R"({"images":[],"snapshots":[]})");
}

std::string head_of(const reply& with, const std::string& framing) {
  return "HTTP/1.1 " + std::to_string(with.status) + " Said\r\nContent-Type: " + with.content_type + "\r\n" + framing +
         "\r\n\r\n";
}

/// Whether the agent has closed the connection.
bool has_left(int fd) {
  pollfd watched{fd, POLLRDHUP, 0};
  return ::poll(&watched, 1, 0) == 1;
}

} // namespace

void gate::open() {
  const std::lock_guard lock{mutex_};
  open_ = true;
  opened_.notify_all();
}

bool gate::wait() {
  std::unique_lock lock{mutex_};
  return opened_.wait_for(lock, patience, [&] { return open_; });
}

sub_agent::sub_agent() : listening_{listen_on_loopback(port_)}, acceptor_{[this] { accept_all(); }} {}

sub_agent::~sub_agent() {
  stopping_ = true;
  ::shutdown(listening_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock{mutex_};
    for (const auto& open : connections_)
      ::shutdown(open.fd.get(), SHUT_RDWR);
  }
  for (auto& open : connections_)
    open.thread.join();
}

void sub_agent::accept_all() {
  while (!stopping_) {
    descriptor fd{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (fd.get() < 0)
      continue;
    const std::lock_guard lock{mutex_};
    auto& made = connections_.emplace_back();
    made.fd = std::move(fd);
    made.thread = std::thread{[this, number = made.fd.get()] { serve(number); }};
  }
}

void sub_agent::serve(int fd) {
  std::string waiting;
  for (call asked; read_call(fd, waiting, asked); asked = {}) {
    unwrap(asked);
    note_begin(asked);
    const auto decided = decide(asked);
    // What takes time is under way until its end; a short answer only until the agent may send the next call.
    const bool takes_time = decided.what == reply::kind::hang || decided.what == reply::kind::download;
    if (!takes_time)
      note_end();
    const bool go_on = answer(fd, decided);
    if (takes_time)
      note_end();
    if (!go_on)
      break;
  }
  // The descriptor itself is closed with the sub-agent, so that its number is not taken by another meanwhile.
  ::shutdown(fd, SHUT_RDWR);
}

reply sub_agent::decide(const call& asked) const {
  try {
    const auto does = script_for(asked.method);
    return does ? does(asked) : default_reply(asked);
  } catch (const std::exception& e) {
    // A script that fails is a fault of the test: it must be seen.
    return http_reply(500, std::string{"the test's script failed: "} + e.what());
  }
}

bool sub_agent::answer(int fd, const reply& with) {
  switch (with.what) {
  case reply::kind::http:
    return send_all(fd, head_of(with, "Content-Length: " + std::to_string(with.bytes.size())) + with.bytes);
  case reply::kind::raw: send_all(fd, with.bytes); return false;
  case reply::kind::hang: return wait_for_leaving(fd);
  case reply::kind::download: return stream(fd, with);
  }
  return false;
}

bool sub_agent::stream(int fd, const reply& with) {
  const bool chunked = with.length < 0;
  const auto framing = chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + std::to_string(with.length);
  bool gone = !send_all(fd, head_of(with, framing));
  const bool ended_well = with.stream([&](std::string_view bytes) {
    std::array<char, 20> size;
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    std::string piece{bytes};
    if (chunked)
      piece = size.data() + piece + "\r\n";
    gone = gone || (bytes.empty() ? has_left(fd) : !send_all(fd, piece));
    return !gone;
  });
  if (gone)
    ++left_;
  return !gone && ended_well && (!chunked || send_all(fd, "0\r\n\r\n"));
}

bool sub_agent::wait_for_leaving(int fd) {
  pollfd watched{fd, POLLRDHUP, 0};
  while (!stopping_ && ::poll(&watched, 1, 20) == 0) {
  }
  if (!stopping_)
    ++left_;
  return false;
}

script sub_agent::script_for(const std::string& method) const {
  const std::lock_guard lock{mutex_};
  const auto found = scripts_.find(method);
  return found == scripts_.end() ? script{} : found->second;
}

void sub_agent::on(const std::string& method, script does) {
  const std::lock_guard lock{mutex_};
  scripts_[method] = std::move(does);
}

void sub_agent::note_begin(const call& asked) {
  const std::lock_guard lock{mutex_};
  calls_.push_back(asked);
  most_under_way_ = std::max(most_under_way_, ++under_way_);
}

void sub_agent::note_end() {
  const std::lock_guard lock{mutex_};
  --under_way_;
}

std::vector<call> sub_agent::calls() const {
  const std::lock_guard lock{mutex_};
  return calls_;
}

std::vector<call> sub_agent::calls(std::string_view method) const {
  auto all = calls();
  std::erase_if(all, [&](const call& c) { return c.method != method; });
  return all;
}

bool sub_agent::wait_for(std::string_view method, std::size_t how_many) const {
  return eventually([&] { return calls(method).size() >= how_many; });
}

std::size_t sub_agent::under_way() const {
  const std::lock_guard lock{mutex_};
  return under_way_;
}

std::size_t sub_agent::most_under_way() const {
  const std::lock_guard lock{mutex_};
  return most_under_way_;
}

} // namespace mistify::test
