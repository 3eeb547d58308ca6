#include "http/client/transport.hpp"

#include "http/client/failure.hpp"
#include "http/client/stopwatch.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

namespace mistify::client {

using std::chrono::milliseconds;

namespace {

/// An answer of the agent has less than twenty.
constexpr std::size_t most_headers = 200;

void expect_readable(const std::string& file) {
  if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
    throw failure{fault::tls, file + ": " + std::generic_category().message(errno)};
}

std::unique_ptr<httplib::Client> connect_to(const settings& how) {
  const auto& to = how.agent;
  if (to.how == address::scheme::unix_socket) {
    auto made = std::make_unique<httplib::Client>(to.host, 1);
    made->set_address_family(AF_UNIX);
    return made;
  }
  if (to.how == address::scheme::http)
    return std::make_unique<httplib::Client>(to.host, to.port);
  // Its parser of URLs knows the brackets of IPv6 addresses.
  const auto host = to.host.find(':') == to.host.npos ? to.host : "[" + to.host + "]";
  const auto url = "https://" + host + ":" + std::to_string(to.port);
  auto made = how.cert_file.empty() ? std::make_unique<httplib::Client>(url)
                                    : std::make_unique<httplib::Client>(url, how.cert_file, how.key_file);
  if (!made->is_valid())
    throw failure{fault::tls, how.cert_file + ": the certificate and its key cannot be used"};
  if (!how.ca_file.empty())
    made->set_ca_cert_path(how.ca_file);
  made->enable_server_certificate_verification(true);
  return made;
}

/// What the agent said when it ended the connection during or right after the handshake, as for a certificate that it does
/// not take; null if it said nothing. With TLS 1.3 that comes in place of the answer. Of this thread's last call.
std::optional<std::string> take_alert() {
  std::optional<std::string> said;
  while (const auto error = ::ERR_get_error())
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET) {
      const auto* words = ::ERR_reason_error_string(error);
      said = words ? words : "alert";
    }
  return said;
}

[[noreturn]] void give_up(const settings& how, httplib::Error error, std::optional<milliseconds> late) {
  const auto peer = std::string{how.peer} + " at " + how.agent.text();
  using enum httplib::Error;
  if (late)
    throw failure{fault::timeout, "the " + peer + " has not answered within " + std::to_string(late->count()) + " ms"};
  if (const auto alert = take_alert(); alert && how.agent.how == address::scheme::https)
    throw failure{fault::tls, "the " + peer + " refuses the connection, or this certificate: " + *alert};
  switch (error) {
  case SSLConnection: throw failure{fault::tls, "no TLS connection to the " + peer};
  case SSLLoadingCerts: throw failure{fault::tls, "the certification authority's file cannot be used: " + how.ca_file};
  case SSLServerVerification: throw failure{fault::tls, "the certificate of the " + peer + " is not trusted"};
  case Connection:
  case ConnectionTimeout:
    throw failure{fault::unreachable, "no " + std::string{how.peer} + " answers at " + how.agent.text()};
  default: throw failure{fault::lost, "the connection to the " + peer + " was lost"};
  }
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), rpc::text::lower);
  return text;
}

reply without_body(const httplib::Response& from, std::string_view peer) {
  reply made;
  made.status = from.status;
  if (from.headers.size() > most_headers)
    throw failure{fault::not_agent, "the answer has too many headers: this is no " + std::string{peer}};
  for (const auto& [name, value] : from.headers)
    made.headers.emplace(lower(name), value);
  return made;
}

httplib::Request request_of(const message& what, const settings& how) {
  httplib::Request request;
  request.method = what.method;
  request.path = what.target;
  request.body = what.body;
  for (const auto& [name, value] : what.headers)
    request.headers.emplace(name, value);
  const auto unless_given = [&](const char* name, const std::string& value) {
    if (!request.has_header(name))
      request.headers.emplace(name, value);
  };
  unless_given("Host", how.agent.authority());
  unless_given("User-Agent", "mistify/" MISTIFY_VERSION);
  unless_given("Accept", "*/*");
  if (!how.token.empty())
    unless_given("Authorization", "Bearer " + how.token);
  if (!what.body.empty())
    unless_given("Content-Type", "application/json");
  return request;
}

std::string size_of(std::size_t bytes) {
  constexpr std::size_t kilo = 1024, mega = kilo * kilo;
  return bytes < mega ? std::to_string(bytes / kilo) + " kB" : std::to_string(bytes / mega) + " MB";
}

/// The library blocks without a bound on the connection's first answer line and on the end of headers: its time-outs
/// count from byte to byte.
constexpr milliseconds longest_connect{5'000};

} // namespace

struct transport::link {
  explicit link(const settings& how) : http{connect_to(how)} {
    http->set_keep_alive(true);
    http->set_tcp_nodelay(true);
    http->set_follow_location(false);
    http->set_url_encode(false); // targets are encoded already
    http->set_decompress(false);
    http->set_connection_timeout(std::min(how.timeout, longest_connect));
  }
  std::unique_ptr<httplib::Client> http;
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
  link_ = std::make_unique<link>(how_);
}

transport::~transport() = default;

void transport::stop() {
  link_->http->stop();
}

reply transport::send(const message& what, milliseconds longest) {
  const auto limit = longest.count() > 0 ? longest : how_.timeout;
  auto request = request_of(what, how_);
  std::string body;
  bool too_long = false;
  int error_with_trailer = 0; // its status
  request.response_handler = [&](const httplib::Response& from) {
    error_with_trailer = from.status >= 400 && from.has_header("Trailer") ? from.status : 0;
    return true;
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    body.append(data, size);
    too_long = body.size() > how_.longest_answer;
    return !too_long;
  };
  link_->http->set_read_timeout(limit);
  link_->http->set_write_timeout(limit);
  ::ERR_clear_error();
  stopwatch watch{limit, [this] { stop(); }};
  const auto result = link_->http->send(request);
  const bool late = watch.finish();
  if (too_long)
    throw failure{fault::not_agent,
                  "the answer is over " + size_of(how_.longest_answer) + ": this is no " + std::string{how_.peer}};
  // The library fails at trailers, as etcd's gateway sends them behind errors; what came before them is the message.
  if (!result && !late && error_with_trailer != 0 && result.error() == httplib::Error::Read)
    return {error_with_trailer, std::move(body), {}};
  if (!result)
    give_up(how_, result.error(), late || watch.elapsed() >= limit ? std::optional{limit} : std::nullopt);
  auto made = without_body(*result, how_.peer);
  made.body = std::move(body);
  return made;
}

reply transport::stream(const message& what, const byte_receiver& to, milliseconds idle,
                        const std::function<void(const reply&)>& opened) {
  auto request = request_of(what, how_);
  std::optional<reply> head;
  std::exception_ptr thrown; // not through the library's frames
  stopwatch watch{how_.timeout, [this] { stop(); }};
  bool ended = false;
  const auto guarded = [&](const auto& work) {
    try {
      return work();
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  };
  request.response_handler = [&](const httplib::Response& from) {
    watch.finish();
    return guarded([&] {
      head = without_body(from, how_.peer);
      if (head->status == 200 && opened)
        opened(*head);
      return true;
    });
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    return guarded([&] {
      if (head && head->status == 200) {
        ended = !to({data, size});
        return !ended;
      }
      head->body.append(data, size);
      return head->body.size() <= how_.longest_answer;
    });
  };
  link_->http->set_read_timeout(idle);
  link_->http->set_write_timeout(how_.timeout);
  ::ERR_clear_error();
  const auto result = link_->http->send(request);
  const bool late = watch.finish();
  if (thrown)
    std::rethrow_exception(thrown);
  if (!result && !ended)
    give_up(how_, result.error(), late && !head ? std::optional{how_.timeout} : std::nullopt);
  return head ? *std::move(head) : without_body(*result, how_.peer);
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
