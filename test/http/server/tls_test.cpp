#include "http/server/tls_context.hpp"

#include "raw_client.hpp"
#include "raw_tls_client.hpp"
#include "running_server.hpp"
#include "test_certificates.hpp"

#include "http/access/policy.hpp"
#include "http/server/handshake_table.hpp"
#include "rpc/base/error.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <future>
#include <list>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace mistify;
using namespace mistify::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// Certificates of a server and its clients, and servers that use them.
struct tls_files {
  temp_dir dir;
  test_ca ca{"ca"};
  cert_files server = ca.issue(dir, "server"), controller = ca.issue(dir, "controller", {.san = "DNS:controller"});

  actors::config config() const {
    actors::config all;
    all.tls = actors::tls_options{server.cert, server.key, ca.certificate(dir), ""};
    all.access = actors::access_options{};
    all.access->certs = {{"controller", "", "controller", {}}};
    return all;
  }
};

std::shared_ptr<const http::tls_context> context_of(const actors::config& config) {
  return std::make_shared<const http::tls_context>(*config.tls, std::make_shared<const http::client_trust>(config));
}

http::server_settings with_tls(const actors::config& config, http::server_settings settings = {}) {
  settings.tls = context_of(config);
  return settings;
}

/// Answers with what the client's certificate says.
http::handler says_who() {
  return [](http::request r) -> http::task<http::answer> {
    const auto& known = r.client->certificate;
    co_return running_server::text(!known                ? "nobody"
                                   : known->sans.empty() ? "cn " + known->common_name
                                                         : known->sans.front() + (known->by_ca ? " by ca" : ""));
  };
}

tls_manner as(const cert_files& files) {
  tls_manner how;
  how.cert = files.cert;
  how.key = files.key;
  return how;
}

/// Why the server refuses a client; "" if it serves it.
std::string refusal_of(std::uint16_t port, const tls_manner& how) {
  try {
    raw_tls_client c{port, how};
    return c.get("/who").status == 200 ? "" : c.reason();
  } catch (const std::exception& e) {
    return e.what();
  }
}

} // namespace

TEST_CASE("requests over TLS are answered as others are, one after the other and pipelined") {
  const tls_files files;
  running_server s{{}, with_tls(files.config())};
  raw_tls_client c{s.port};
  CHECK(SSL_version(c.session()) == TLS1_3_VERSION);
  for (int i = 0; i < 3; ++i)
    CHECK(c.get("/a").body == "GET /a ");
  std::string requests;
  for (int i = 0; i < 1000; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n";
  c.send(requests);
  for (int i = 0; i < 1000; ++i)
    REQUIRE(c.answer().body == "GET /" + std::to_string(i) + " ");
  CHECK(c.get("/last", "Connection: close\r\n").status == 200);
  CHECK(c.closed());
  CHECK((SSL_get_shutdown(c.session()) & SSL_RECEIVED_SHUTDOWN) != 0);
}

TEST_CASE("a request over TLS may come byte by byte") {
  const tls_files files;
  running_server s{{}, with_tls(files.config())};
  raw_tls_client c{s.port};
  for (const char byte : std::string{"POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz"})
    c.send({&byte, 1});
  CHECK(c.answer().body == "POST /b xyz");
  c.send("POST /b HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(c.answer().status == 100);
  c.send("xyz");
  CHECK(c.answer().body == "POST /b xyz");
}

/// What is left in the kernel makes no further event: a read that leaves something there would wait for ever.
TEST_CASE("a body over TLS is read to its end, however its records and segments lie") {
  const tls_files files;
  http::server_settings settings;
  settings.request_timeout = 20s;
  running_server s{{}, with_tls(files.config(), settings)};
  raw_tls_client c{s.port};
  for (const std::size_t piece : {1000U, 8191U, 16'000U, 16'384U, 16'385U, 50'000U}) {
    const std::string body(200'000, static_cast<char>('a' + piece % 20));
    c.send("POST /b HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    for (std::size_t at = 0; at < body.size(); at += piece)
      c.send(body.substr(at, piece));
    REQUIRE(c.answer().body == "POST /b " + body);
  }
}

TEST_CASE("large bodies pass both ways over TLS, to a slow reader too") {
  const tls_files files;
  running_server s{{{"/echo",
                     [](http::request r) -> http::task<http::answer> {
                       co_return running_server::text(r.body + r.body + r.body + r.body);
                     }}},
                   with_tls(files.config())};
  std::string body;
  for (int i = 0; body.size() < 1'000'000; ++i)
    body += std::to_string(i);
  raw_tls_client c{s.port, {}, 4096};
  c.send("POST /echo HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  REQUIRE(c.send(body));
  std::this_thread::sleep_for(50ms); // the server's buffers fill
  const auto a = c.answer();
  CHECK(a.whole);
  CHECK(a.body == body + body + body + body);
  CHECK(c.get("/after").status == 200);
}

TEST_CASE("a refused request is answered over TLS, whatever follows it") {
  const tls_files files;
  running_server s{{}, with_tls(files.config())};
  raw_tls_client c{s.port};
  c.send("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + std::string(100'000, 'x'));
  CHECK(c.answer().status == 413);
}

TEST_CASE("downloads over TLS come whole, written and relayed, of known and of unknown length") {
  const tls_files files;
  const auto written = [](std::int64_t length) {
    return downloads([length](http::download_channel& to) {
      to.begin(length);
      for (int i = 0; i < 300'000; ++i)
        if (!to.write("0123456789"))
          break;
      return http::answer{};
    });
  };
  const auto relayed = downloads([](http::download_channel& to) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    std::thread source{[&] {
      const std::string piece(1000, 'r');
      for (int i = 0; i < 3000; ++i)
        if (::send(ends[1], piece.data(), piece.size(), MSG_NOSIGNAL) < 0)
          break;
      ::shutdown(ends[1], SHUT_RDWR);
    }};
    to.begin(3'000'000);
    for (std::int64_t left = 3'000'000; left > 0;) {
      const auto n = to.relay(ends[0], 1 << 20);
      if (!n)
        break;
      left -= std::max<ssize_t>(*n, 0);
    }
    ::shutdown(ends[0], SHUT_RDWR);
    source.join();
    ::close(ends[0]);
    ::close(ends[1]);
    return http::answer{};
  });
  running_server s{{{"/known", written(3'000'000)}, {"/unknown", written(-1)}, {"/relayed", relayed}},
                   with_tls(files.config())};
  raw_tls_client c{s.port};
  for (const auto* path : {"/known", "/unknown", "/relayed"}) {
    INFO(path);
    const auto a = c.get(path);
    CHECK(a.whole);
    CHECK(a.body.size() == 3'000'000);
    CHECK(a.body.find_first_not_of("0123456789r") == std::string::npos);
  }
  CHECK(c.get("/after").status == 200);
  raw_tls_client old{s.port};
  old.send("GET /unknown HTTP/1.0\r\n\r\n");
  CHECK(old.answer().body.size() == 3'000'000);
  CHECK((SSL_get_shutdown(old.session()) & SSL_RECEIVED_SHUTDOWN) != 0);
}

TEST_CASE("a client that does not take its download over TLS loses it") {
  const tls_files files;
  http::server_settings settings;
  settings.write_timeout = 100ms;
  running_server s{{{"/d", downloads([](http::download_channel& to) {
                       to.begin(-1);
                       const std::string piece(100'000, 'x');
                       while (to.write(piece)) {
                       }
                       return http::answer{};
                     })}},
                   with_tls(files.config(), settings)};
  raw_tls_client c{s.port, {}, 4096};
  c.send("GET /d HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return s.server.stats().downloads == 1; }));
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
}

TEST_CASE("a client certificate is an identity if the CA signed it; none is fine, and a bad one ends the handshake") {
  tls_files files;
  test_ca other{"other"};
  const auto expired = files.ca.issue(files.dir, "expired", {.days = -1}), foreign = other.issue(files.dir, "foreign"),
             own = test_ca::self_signed(files.dir, "own"), named = files.ca.issue(files.dir, "named"),
             of_machine = files.ca.issue(files.dir, "controller2", {.san = "IP:192.0.2.1,email:a@b.example"});
  running_server s{{{"/who", says_who()}}, with_tls(files.config())};
  CHECK(raw_tls_client{s.port}.get("/who").body == "nobody");
  CHECK((raw_tls_client{s.port, as(files.controller)}.get("/who").body == "controller by ca"));
  CHECK((raw_tls_client{s.port, as(named)}.get("/who").body == "cn named"));
  CHECK((raw_tls_client{s.port, as(of_machine)}.get("/who").body == "cn ")); // other alternative names count too
  CHECK_THAT(refusal_of(s.port, as(expired)), Contains("certificate expired"));
  CHECK_THAT(refusal_of(s.port, as(foreign)), Contains("unknown ca"));
  CHECK_THAT(refusal_of(s.port, as(own)), Contains("unknown ca"));
  CHECK(eventually([&] { return s.server.stats().open == 0; }));
}

TEST_CASE("a pinned certificate needs no CA, but its dates hold and a revocation outweighs the pin") {
  tls_files files;
  const auto own = test_ca::self_signed(files.dir, "own", {.san = "URI:urn:own"}),
             old = test_ca::self_signed(files.dir, "old", {.days = -1}), gone = files.ca.issue(files.dir, "gone");
  auto config = files.config();
  for (const auto& one : {own, old, gone})
    config.access->certs.push_back({"", one.sha256, "viewer", {}});
  config.tls->crl = files.ca.revocations(files.dir, 2); // "gone"
  running_server s{{{"/who", says_who()}}, with_tls(config)};
  CHECK((raw_tls_client{s.port, as(own)}.get("/who").body == "urn:own"));
  CHECK((raw_tls_client{s.port, as(files.controller)}.get("/who").body == "controller by ca"));
  CHECK_THAT(refusal_of(s.port, as(old)), Contains("certificate expired"));
  CHECK_THAT(refusal_of(s.port, as(gone)), Contains("certificate revoked"));
}

TEST_CASE("a new CRL takes the rights of a certificate on open connections, and ends new handshakes") {
  const tls_files files;
  auto config = files.config();
  const http::policy before{config, std::make_shared<const http::client_trust>(config)};
  http::peer_ptr seen;
  running_server s{{{"/who",
                     [&](http::request r) -> http::task<http::answer> {
                       seen = r.client;
                       co_return running_server::text("");
                     }}},
                   with_tls(config)};
  raw_tls_client open{s.port, as(files.controller)};
  REQUIRE(open.get("/who").status == 200);
  const auto now = std::chrono::system_clock::now();
  CHECK(before.identify(*seen, now)->name == "controller");
  CHECK(before.identify(*seen, now + std::chrono::hours{24 * 31})->is_anonymous());
  config.tls->crl = files.ca.revocations(files.dir, 0);
  const http::policy after{config, std::make_shared<const http::client_trust>(config)};
  s.server.replace_tls(context_of(config));
  CHECK(after.identify(*seen, now)->is_anonymous());
  CHECK(open.get("/who").status == 200);
  CHECK_THAT(refusal_of(s.port, as(files.controller)), Contains("certificate revoked"));
}

TEST_CASE("a certificate holds on open connections until its CA expires, and until the CRL is out of date") {
  constexpr std::chrono::hours day{24};
  const temp_dir dir;
  test_ca ca{"short", 10};
  const auto server = ca.issue(dir, "server"), client = ca.issue(dir, "client"), pinned = ca.issue(dir, "pinned");
  actors::config config;
  config.tls = actors::tls_options{server.cert, server.key, ca.certificate(dir), ""};
  config.access = actors::access_options{};
  config.access->certs = {{"client", "", "viewer", {}}, {"", pinned.sha256, "operator", {}}};
  std::vector<http::peer_ptr> seen;
  running_server s{{{"/who",
                     [&](http::request r) -> http::task<http::answer> {
                       seen.push_back(r.client);
                       co_return running_server::text("");
                     }}},
                   with_tls(config)};
  for (const auto& one : {client, pinned})
    CHECK((raw_tls_client{s.port, as(one)}.get("/who").status == 200));
  REQUIRE(seen.size() == 2);
  const auto now = std::chrono::system_clock::now();
  const auto roles = [&](const http::policy& rules, int days) {
    return rules.identify(*seen[0], now + days * day)->role + ' ' + rules.identify(*seen[1], now + days * day)->role;
  };
  const http::policy by_ca{config, std::make_shared<const http::client_trust>(config)};
  CHECK(roles(by_ca, 0) == "viewer operator");
  CHECK(roles(by_ca, 9) == "viewer operator");
  CHECK(roles(by_ca, 11) == "none operator");
  CHECK(roles(by_ca, 31) == "none none");
  CHECK(roles(by_ca, 0) == "viewer operator"); // the clock was set back
  config.tls->crl = ca.revocations(dir, 3, 5);
  const http::policy by_list{config, std::make_shared<const http::client_trust>(config)};
  CHECK(roles(by_list, 4) == "viewer operator");
  CHECK(roles(by_list, 6) == "none operator");
}

TEST_CASE("old versions, other protocols and renegotiation are refused") {
  const tls_files files;
  running_server s{{}, with_tls(files.config())};
  CHECK_THAT(refusal_of(s.port, {.version = TLS1_1_VERSION}), Contains("protocol version"));
  CHECK_THAT(refusal_of(s.port, {.version = TLS1_2_VERSION}), Contains("protocol version"));
  CHECK_THAT(refusal_of(s.port, {.alpn = "\x02h2"}), Contains("no application protocol"));
  CHECK(refusal_of(s.port, {.alpn = "\x02h2\x08http/1.1"}).empty());
  CHECK(refusal_of(s.port, {.alpn = ""}).empty());
  auto config = files.config();
  config.tls->allow_1_2 = true;
  running_server older{{}, with_tls(config)};
  CHECK_THAT(refusal_of(older.port, {.version = TLS1_1_VERSION}), Contains("protocol version"));
  raw_tls_client c{older.port, {.version = TLS1_2_VERSION}};
  CHECK(c.get("/").status == 200);
  SSL_renegotiate(c.session());
  SSL_do_handshake(c.session());
  CHECK(c.get("/").status == 0);
}

TEST_CASE("a client may change its keys at any time") {
  const tls_files files;
  running_server s{{}, with_tls(files.config())};
  raw_tls_client c{s.port};
  for (int i = 0; i < 5; ++i) {
    REQUIRE(SSL_key_update(c.session(), SSL_KEY_UPDATE_REQUESTED) == 1);
    CHECK(c.get("/a").status == 200);
  }
}

TEST_CASE("a session is resumed with its client certificate, until certificates are read again") {
  const tls_files files;
  running_server s{{{"/who", says_who()}}, with_tls(files.config())};
  raw_tls_client first{s.port, as(files.controller)};
  CHECK(first.get("/who").body == "controller by ca");
  const std::unique_ptr<SSL_SESSION, void (*)(SSL_SESSION*)> session{SSL_get1_session(first.session()),
                                                                     &SSL_SESSION_free};
  auto again = as(files.controller);
  again.session = session.get();
  raw_tls_client second{s.port, again};
  CHECK(SSL_session_reused(second.session()) == 1);
  CHECK(second.get("/who").body == "controller by ca");
  s.server.replace_tls(context_of(files.config()));
  raw_tls_client third{s.port, again};
  CHECK(SSL_session_reused(third.session()) == 0);
  CHECK(third.get("/who").body == "controller by ca");
}

TEST_CASE("new certificates are for new connections; those that are open go on") {
  tls_files files;
  running_server s{{}, with_tls(files.config())};
  raw_tls_client open{s.port};
  CHECK(open.get("/").status == 200);
  const auto fresh = files.ca.issue(files.dir, "fresh");
  auto config = files.config();
  config.tls->cert = fresh.cert;
  config.tls->key = fresh.key;
  s.server.replace_tls(context_of(config));
  CHECK(open.get("/").status == 200);
  const raw_tls_client next{s.port};
  const std::unique_ptr<X509, void (*)(X509*)> shown{SSL_get1_peer_certificate(next.session()), &X509_free};
  std::array<char, 100> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name.data(), name.size());
  CHECK(std::string{name.data()} == "fresh");
  running_server plain{{}};
  CHECK_THROWS_AS(plain.server.replace_tls(context_of(config)), rpc::failure);
}

TEST_CASE("clients that never finish the handshake cost others nothing") {
  const tls_files files;
  http::server_settings settings;
  running_server s{{}, with_tls(files.config(), settings)};
  raw_tls_client before{s.port};
  std::list<raw_client> silent;
  for (int i = 0; i < 500; ++i) {
    silent.emplace_back(s.port);
    if (i % 2)
      silent.back().send("\x16\x03\x01\x02");
  }
  for (int i = 0; i < 20; ++i) {
    CHECK(raw_tls_client{s.port}.get("/").status == 200);
    CHECK(before.get("/").status == 200);
  }
  CHECK(eventually([&] { return s.server.stats().open <= 65; }));
}

TEST_CASE("a handshake has the deadline of a request") {
  const tls_files files;
  http::server_settings settings;
  settings.request_timeout = 100ms;
  running_server s{{}, with_tls(files.config(), settings)};
  raw_client silent{s.port};
  CHECK(silent.closed());
  raw_tls_client fine{s.port};
  std::this_thread::sleep_for(150ms);
  CHECK(fine.get("/").status == 200);
}

TEST_CASE("of too many handshakes the oldest of the busiest address ends") {
  http::handshake_table table{3};
  CHECK_FALSE(table.begin({1, 1}, "a"));
  CHECK_FALSE(table.begin({2, 2}, "b"));
  CHECK_FALSE(table.begin({3, 3}, "b"));
  CHECK(table.begin({4, 4}, "c")->fd == 2);
  CHECK(table.begin({5, 5}, "d")->fd == 1);
  table.end({3, 3});
  CHECK(table.size() == 2);
  CHECK_FALSE(table.begin({6, 6}, "d"));
}

TEST_CASE("plain HTTP on a TLS port is answered with 400, and is never served") {
  const tls_files files;
  running_server s{{}, with_tls(files.config())};
  raw_client c{s.port};
  const auto a = c.get("/");
  CHECK(a.status == 400);
  CHECK_THAT(a.body, Contains("TLS"));
  CHECK(s.server.stats().requests == 0);
  raw_client noise{s.port};
  noise.send(std::string(1000, '\xff'));
  CHECK(noise.rest().size() < 100);
}

TEST_CASE("only an address that says tcp stays plain beside TLS, and only on loopback") {
  const tls_files files;
  running_server s{{}, with_tls(files.config())};
  const auto plain = s.server.listen("tcp:127.0.0.1:0");
  CHECK(raw_client{plain}.get("/").status == 200);
  CHECK_THROWS_WITH(s.server.listen("tcp:0.0.0.0:0"), Contains("loopback"));
  CHECK_THROWS_WITH(s.server.listen("tcp:0"), Contains("loopback"));
}

TEST_CASE("files that cannot be used are named with the reason") {
  tls_files files;
  const auto other = files.ca.issue(files.dir, "other");
  const auto refused = [&](auto change) {
    auto config = files.config();
    change(*config.tls);
    try {
      context_of(config);
    } catch (const rpc::failure& e) {
      CHECK(e.code() == rpc::errc::config_invalid);
      CHECK(std::string{e.message()}.find('\n') == std::string::npos);
      return std::string{e.message()};
    }
    return std::string{};
  };
  const auto broken = files.dir.write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
             empty = files.dir.write("empty", "");
  CHECK(refused([](auto&) {}).empty());
  CHECK_THAT(refused([](auto& t) { t.cert = "/nowhere"; }), Contains("tls.cert \"/nowhere\": No such file"));
  CHECK_THAT(refused([&](auto& t) { t.cert = broken; }), Contains("tls.cert \"" + broken));
  CHECK_THAT(refused([&](auto& t) { t.key = other.key; }), Contains("tls.key") && Contains("mismatch"));
  CHECK_THAT(refused([&](auto& t) { t.key = empty; }), Contains("tls.key \"" + empty));
  CHECK_THAT(refused([&](auto& t) { t.client_ca = empty; }), Contains("tls.client_ca \"" + empty));
  CHECK_THAT(refused([&](auto& t) { t.client_ca = broken; }), Contains("tls.client_ca \"" + broken));
  CHECK_THAT(refused([&](auto& t) { t.crl = "/nowhere"; }), Contains("tls.crl \"/nowhere\": No such file"));
  CHECK_THAT(refused([&](auto& t) { t.crl = other.cert; }), Contains("tls.crl"));
}
