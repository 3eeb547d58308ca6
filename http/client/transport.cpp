#include "http/client/transport.hpp"

#include "http/client/connection.hpp"
#include "http/client/failure.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/text.hpp"
#include "rpc/http1/answer_body.hpp"
#include "rpc/http1/head_writer.hpp"
#include "rpc/net/unix_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <unistd.h>

namespace mistify::client {

using rpc::deadline;
using rpc::http1::answer_head;
using std::chrono::milliseconds;

namespace {

/// An answer of the agent has less than twenty.
constexpr std::size_t most_headers = 200;
constexpr std::size_t longest_head = std::size_t{64} << 10U;
constexpr int most_interim = 10;
constexpr milliseconds longest_connect{5'000};

void expect_readable(const std::string& file) {
  if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
    throw failure{fault::tls, file + ": " + std::generic_category().message(errno)};
}

[[noreturn]] void fail_late(const settings& how, milliseconds limit) {
  throw failure{fault::timeout, "the " + std::string{how.peer} + " at " + how.agent.text() +
                                  " has not answered within " + std::to_string(limit.count()) + " ms"};
}

/// Throws where the end of a connection has to do with TLS.
void expect_tls(const tls_session& session, const settings& how, bool stood) {
  const auto peer = std::string{how.peer} + " at " + how.agent.text();
  if (!session.alert().empty())
    throw failure{fault::tls, "the " + peer + " refuses the connection, or this certificate: " + session.alert()};
  if (const auto why = session.distrust(); !why.empty())
    throw failure{fault::tls, "the certificate of the " + peer + " is not trusted: " + why};
  if (!stood)
    throw failure{fault::tls, "no TLS connection to the " + peer};
}

std::unique_ptr<connection> connect_to(const settings& how, const tls_client* tls, deadline until, milliseconds limit) {
  const auto& to = how.agent;
  const auto connect_until = std::min(until, rpc::deadline_after(longest_connect));
  const rpc::cancellation none;
  auto made = to.how == address::scheme::unix_socket ? rpc::unix_connect(to.host, connect_until, none)
                                                     : rpc::tcp_connect(to.host, to.port, connect_until, none);
  if (!made.fd && made.error == ETIMEDOUT && connect_until == until)
    fail_late(how, limit);
  if (!made.fd)
    throw failure{fault::unreachable, "no " + std::string{how.peer} + " answers at " + to.text()};
  auto link = std::make_unique<connection>(std::move(made.fd));
  link->set_deadline(until);
  if (!tls || link->start_tls(*tls, to.host))
    return link;
  if (link->why() == connection::fault::too_late)
    fail_late(how, limit);
  expect_tls(*link->tls(), how, false);
  return nullptr; // never: it throws
}

std::string text_of(const message& what, const settings& how) {
  using rpc::http1::append_field;
  std::string out = what.method + ' ' + what.target + " HTTP/1.1\r\n";
  const auto unless_given = [&](const std::string& name, std::string_view value) {
    if (!what.headers.contains(name))
      append_field(out, name, value);
  };
  unless_given("Host", how.agent.authority());
  unless_given("User-Agent", "mistify/" MISTIFY_VERSION);
  unless_given("Accept", "*/*");
  if (!how.token.empty())
    unless_given("Authorization", "Bearer " + how.token);
  if (!what.body.empty())
    unless_given("Content-Type", "application/json");
  if (!what.body.empty() || (what.method != "GET" && what.method != "HEAD"))
    unless_given("Content-Length", std::to_string(what.body.size()));
  for (const auto& [name, value] : what.headers)
    append_field(out, name, value);
  out.append("\r\n").append(what.body);
  return out;
}

std::string lower(std::string_view text) {
  std::string made{text};
  std::ranges::transform(made, made.begin(), rpc::text::lower);
  return made;
}

/// The lines of a sound head, without the first.
std::multimap<std::string, std::string> fields_of(std::string_view head) {
  constexpr std::string_view line_end = "\r\n";
  std::multimap<std::string, std::string> all;
  for (auto at = head.find(line_end); at != head.npos; at = head.find(line_end)) {
    head.remove_prefix(at + line_end.size());
    const auto line = head.substr(0, head.find(line_end));
    if (const auto colon = line.find(':'); colon != line.npos)
      all.emplace(lower(line.substr(0, colon)), rpc::text::trim(line.substr(colon + 1)));
  }
  return all;
}

std::string size_of(std::size_t bytes) {
  constexpr std::size_t kilo = 1024, mega = kilo * kilo;
  return bytes < mega ? std::to_string(bytes / kilo) + " kB" : std::to_string(bytes / mega) + " MB";
}

} // namespace

/// One exchange, which has the connection until it ends well.
class transport::call {
public:
  call(transport& of, milliseconds limit)
    : of_{of}, limit_{limit}, until_{rpc::deadline_after(limit)}, link_{std::move(of.kept_)} {
    if (link_ && !link_->is_idle_and_open())
      link_.reset();
    if (!link_)
      link_ = connect_to(of.how_, of.tls_.get(), until_, limit);
    link_->set_deadline(until_);
  }

  /// Sends the request and returns the head of its answer.
  reply ask(const message& what) {
    has_body_ = what.method != "HEAD";
    is_whole_ = link_->send(text_of(what, of_.how_)); // where it is refused in the midst, the answer says why
    const auto text = take_head();
    reply made{head_.status, {}, fields_of(text)};
    if (made.headers.size() > most_headers)
      throw failure{fault::not_agent, "the answer has too many headers: this is no " + std::string{of_.how_.peer}};
    return made;
  }

  /// Hands the body on as it comes. `idle`: the longest pause between two pieces; 0: the call's time counts. Returns false
  /// if `to` does.
  bool read_body(const byte_receiver& to, milliseconds idle) {
    is_streamed_ = idle.count() > 0;
    bool wanted = true;
    const auto go_on = [&] {
      if (is_streamed_)
        link_->set_deadline(rpc::deadline_after(idle));
    };
    go_on();
    const bool whole = !has_body_ || rpc::http1::read_body(*link_, head_, [&](std::string_view bytes) {
      wanted = to(bytes);
      go_on();
      return wanted;
    });
    if (!whole && wanted)
      give_up();
    if (whole && is_whole_ && head_.keeps_alive() && link_->why() == connection::fault::none)
      of_.kept_ = std::move(link_);
    return wanted;
  }

private:
  std::string take_head() {
    for (int i = 0; i <= most_interim; ++i) {
      auto text = rpc::http1::take_head(*link_, longest_head);
      if (!text && link_->why() == connection::fault::none)
        break; // too long
      if (!text)
        give_up();
      head_ = rpc::http1::parse_answer_head(*text);
      if (!head_.sound || !head_.has_one_end())
        break;
      if (!head_.is_interim())
        return std::move(*text);
    }
    throw failure{fault::not_agent, "the answer is no HTTP: this is no " + std::string{of_.how_.peer}};
  }

  [[noreturn]] void give_up() const {
    if (link_->why() == connection::fault::too_late && !is_streamed_)
      fail_late(of_.how_, limit_);
    if (link_->tls())
      expect_tls(*link_->tls(), of_.how_, true);
    throw failure{fault::lost,
                  "the connection to the " + std::string{of_.how_.peer} + " at " + of_.how_.agent.text() + " was lost"};
  }

  transport& of_;
  const milliseconds limit_;
  const deadline until_;
  std::unique_ptr<connection> link_;
  answer_head head_;
  bool has_body_ = true;
  bool is_whole_ = false;    // the request is on its way
  bool is_streamed_ = false; // the call's time is over with the head
};

std::string reply::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string{} : found->second;
}

transport::transport(settings how) : how_{std::move(how)} {
  if (rpc::has_control(how_.token) || how_.token.find(' ') != std::string::npos)
    throw failure{fault::usage, "the token has spaces or control characters"};
  for (const auto* file : {&how_.ca_file, &how_.cert_file, &how_.key_file})
    expect_readable(*file);
  if (how_.agent.how == address::scheme::https)
    tls_ = std::make_unique<const tls_client>(how_);
}

transport::~transport() = default;

reply transport::send(const message& what, milliseconds longest) {
  call now{*this, longest.count() > 0 ? longest : how_.timeout};
  auto made = now.ask(what);
  take_whole(now, made, milliseconds{0});
  return made;
}

void transport::take_whole(call& from, reply& to, milliseconds idle) const {
  const bool fits = from.read_body(
    [&](std::string_view piece) {
      if (piece.size() > how_.longest_answer - to.body.size())
        return false;
      to.body += piece;
      return true;
    },
    idle);
  if (!fits)
    throw failure{fault::not_agent,
                  "the answer is over " + size_of(how_.longest_answer) + ": this is no " + std::string{how_.peer}};
}

reply transport::stream(const message& what, const byte_receiver& to, milliseconds idle,
                        const std::function<void(const reply&)>& opened) {
  call now{*this, how_.timeout};
  auto made = now.ask(what);
  if (made.status != 200) {
    take_whole(now, made, idle);
    return made;
  }
  if (opened)
    opened(made);
  now.read_body(to, idle);
  return made;
}

std::string encode_segment(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || rpc::text::is_digit(c) || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out.append({'%', hex[byte >> 4U], hex[byte & 15U]});
  }
  return out;
}

} // namespace mistify::client
