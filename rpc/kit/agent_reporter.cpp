#include "rpc/kit/agent_reporter.hpp"

#include "rpc/base/json.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/process.hpp"
#include "rpc/net/unix_socket.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fstream>
#include <httplib.h>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace mistify::rpc {

namespace {

constexpr std::string_view scheme = "http://";
constexpr auto connect_timeout = std::chrono::seconds{1};
constexpr auto answer_timeout = std::chrono::seconds{5};

/// Adds a member, unless it is empty or not known.
void put(json::writer& to, std::string_view key, std::string_view text) {
  if (!text.empty())
    to.key(key).value(text);
}
void put(json::writer& to, std::string_view key, std::optional<std::uint64_t> number) {
  if (number)
    to.key(key).value(*number);
}

/// Sends to a unix socket only if root, this process's user or one of `users` listens there: anybody else gets no byte, and
/// above all no token.
class unix_client final : public httplib::ClientImpl {
public:
  unix_client(const std::string& path, std::vector<uid_t> users)
    : httplib::ClientImpl{path, 1}, path_{path}, users_{std::move(users)} {
    users_.insert(users_.end(), {uid_t{0}, ::geteuid()});
    set_address_family(AF_UNIX);
    set_default_headers({{"Host", "localhost"}});
  }

private:
  bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
    if (!httplib::ClientImpl::create_and_connect_socket(socket, error))
      return false;
    const auto owner = peer_user(socket.sock);
    const bool known = owner && std::find(users_.begin(), users_.end(), *owner) != users_.end();
    if (!std::exchange(warned_, !known) && !known)
      log::warning("the agent's socket belongs to another user, who gets no reports; --allow-user names the agent's",
                   {{"socket", path_}, {"uid", owner ? std::to_string(*owner) : "unknown"}});
    if (!known) {
      close_socket(socket);
      error = httplib::Error::Connection;
    }
    return known;
  }

  const std::string path_;
  std::vector<uid_t> users_;
  bool warned_ = false;
};

/// The client of `HOST` or `HOST:PORT`; null where that is neither.
std::unique_ptr<httplib::ClientImpl> tcp_client(std::string_view place) {
  constexpr int http_port = 80;
  const auto colon = place.find(':', place.starts_with('[') ? place.find(']') : 0);
  auto host = place.substr(0, colon);
  std::uint16_t port = http_port;
  if (colon != place.npos) {
    const auto digits = place.substr(colon + 1);
    const auto* const end = digits.data() + digits.size();
    if (const auto read = std::from_chars(digits.data(), end, port); read.ec != std::errc{} || read.ptr != end)
      return nullptr;
  }
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  return host.empty() ? nullptr : std::make_unique<httplib::ClientImpl>(std::string{host}, port);
}

std::unique_ptr<httplib::ClientImpl> client_for(const agent_address& at) {
  if (constexpr std::string_view unix_scheme = "unix:/"; at.url.starts_with(unix_scheme))
    return std::make_unique<unix_client>(at.url.substr(unix_scheme.size() - 1), at.users);
  const auto host = at.url.starts_with(scheme) ? at.url.substr(scheme.size()) : std::string{};
  if (host.find_first_of("/?#@ ") == host.npos)
    if (auto client = tcp_client(host))
      return client;
  throw std::invalid_argument{"the agent's URL must be http://HOST:PORT or unix:PATH: " + at.url};
}

/// A token crosses no network in the clear.
bool stays_here(const std::string& url) {
  constexpr unsigned char loopback_net = 127;
  if (!url.starts_with(scheme))
    return true; // a unix socket
  const auto place = url.substr(scheme.size());
  const auto host = place.substr(0, place.starts_with('[') ? place.find(']') + 1 : place.find(':'));
  in_addr four{};
  const bool is_four = ::inet_pton(AF_INET, host.c_str(), &four) == 1;
  return host == "localhost" || host == "[::1]" || (is_four && (ntohl(four.s_addr) >> 24U) == loopback_net);
}

/// The first line of the file, or "" if that is no token.
std::string read_token(const std::string& file) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=";
  constexpr std::size_t longest = 1024;
  std::ifstream in{file};
  std::string line;
  std::getline(in, line);
  return line.size() <= longest && line.find_first_not_of(allowed) == line.npos ? line : std::string{};
}

} // namespace

agent_reporter::agent_reporter(const agent_address& at, std::string loss)
  : client_{client_for(at)}, token_file_{at.token_file}, loss_{std::move(loss)} {
  if (!token_file_.empty()) {
    if (!stays_here(at.url))
      throw std::invalid_argument{"a token is sent to this machine only, not to " + at.url};
    if ((token_ = read_token(token_file_)).empty())
      throw std::invalid_argument{"the file holds no token: " + token_file_};
  }
  client_->set_keep_alive(true);
  if (!at.url.starts_with("unix:"))
    client_->set_tcp_nodelay(true);
  client_->set_connection_timeout(connect_timeout);
  client_->set_read_timeout(answer_timeout);
  client_->set_write_timeout(answer_timeout);
}

agent_reporter::~agent_reporter() = default;

report_result agent_reporter::tell_state(const std::string& guest, std::string_view state, std::string_view reason,
                                         std::string* stored) {
  json::writer body;
  body.begin_object();
  put(body, "state", state);
  put(body, "state_reason", reason);
  return tell("/guests/" + guest + "/state", body.end_object().str(), stored);
}

report_result agent_reporter::tell_progress(const std::string& job, std::string_view message,
                                            const job_progress& figures) {
  json::writer body;
  body.begin_object();
  put(body, "message", message);
  put(body, "done", figures.done);
  put(body, "total", figures.total);
  put(body, "unit", figures.unit);
  return tell("/jobs/" + job + "/progress", body.end_object().str());
}

report_result agent_reporter::tell(const std::string& path, const std::string& body, std::string* taken) {
  httplib::Headers headers;
  if (!token_file_.empty()) {
    if (auto fresh = read_token(token_file_); !fresh.empty()) // else it is just being written
      token_ = std::move(fresh);
    headers.emplace("Authorization", "Bearer " + token_);
  }
  block_pipe_signal(); // cpp-httplib writes without MSG_NOSIGNAL, also after `give_up` has closed the connection
  const auto answer = client_->Put(path, headers, body, "application/json");
  note_away(!answer);
  if (!answer)
    return report_result::away;
  if (taken && answer->status == 200)
    *taken = answer->body;
  return weigh(answer->status, answer->body);
}

void agent_reporter::give_up() {
  client_->stop();
}

/// One line when the trouble begins and one when it is over.
void agent_reporter::note_away(bool now) {
  if (std::exchange(away_, now) == now)
    return;
  if (now)
    log::warning("the agent is away: " + loss_);
  else
    log::warning("the agent is back");
}

report_result agent_reporter::weigh(int status, const std::string& body) {
  if (status == 200 || status == 404) { // hypervisors have machines that are nobody's guests
    warned_of_ = 0;
    return status == 200 ? report_result::taken : report_result::unknown;
  }
  if (status == 409 || status == 429 || status >= 500)
    return report_result::not_now;
  if (std::exchange(warned_of_, status) != status)
    log::warning("the agent takes no reports", {{"status", std::to_string(status)}, {"answer", body}});
  return report_result::refused;
}

} // namespace mistify::rpc
