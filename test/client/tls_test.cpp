#include "http/client/client.hpp"
#include "test/system/sockets.hpp"
#include "test/system/temp_dir.hpp"
#include "test/system/tool.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <httplib.h>
#include <thread>

namespace mistify::test {

namespace {

/// A server with a certificate of its own authority, which wants one of the client.
struct tls_server {
  temp_dir dir;
  std::string at(const std::string& name) const { return (dir.path() / name).string(); }
  std::unique_ptr<httplib::SSLServer> server;
  int port = 0;
  std::thread thread;
  std::promise<void> over; // what one call of /silent waits for

  tls_server() {
    const auto made =
      run_tool("cd " + dir.path().string() +
               " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key"
               " -out ca.pem -subj /CN=ca"
               " && for n in server client; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
               " -keyout $n.key -out $n.csr -subj /CN=$n && printf 'subjectAltName=DNS:localhost'"
               " > ext && openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
               " -extfile ext -out $n.pem; done");
    INFO(made.output);
    REQUIRE(made.code == 0);
    server =
      std::make_unique<httplib::SSLServer>(at("server.pem").c_str(), at("server.key").c_str(), at("ca.pem").c_str());
    server->Get("/whoami", [](const httplib::Request&, httplib::Response& out) {
      out.set_content(R"({"name":"client","how":"cert","role":"viewer","scopes":["read"]})", "application/json");
    });
    server->Get("/port", [](const httplib::Request& request, httplib::Response& out) {
      out.set_content(std::to_string(request.remote_port), "text/plain");
    });
    server->Get("/large", [](const httplib::Request&, httplib::Response& out) {
      out.set_content(std::string(1'000'000, 'x'), "text/plain");
    });
    server->Get("/silent", [this](const httplib::Request&, httplib::Response&) { over.get_future().wait(); });
    server->Post("/length", [](const httplib::Request& request, httplib::Response& out) {
      out.set_content(std::to_string(request.body.size()), "text/plain");
    });
    port = server->bind_to_any_port("127.0.0.1");
    thread = std::thread{[this] { server->listen_after_bind(); }};
    while (!server->is_running())
      std::this_thread::yield();
  }
  ~tls_server() {
    over.set_value();
    server->stop();
    thread.join();
  }

  client::settings settings(const std::string& host) const {
    client::settings how;
    how.agent = client::parse_address("https://" + host + ":" + std::to_string(port));
    how.ca_file = at("ca.pem");
    how.cert_file = at("client.pem");
    how.key_file = at("client.key");
    return how;
  }
};

client::fault fault_of(const client::settings& how) {
  try {
    client::client{how}.whoami();
  } catch (const client::failure& e) {
    return e.code();
  }
  FAIL("it was answered");
  return {};
}

} // namespace

TEST_CASE("Over TLS both sides show their certificates") {
  const tls_server server;
  CHECK(client::client{server.settings("localhost")}.whoami().value().how == "cert");
}

TEST_CASE("Over TLS one connection serves several calls, with bodies of any size") {
  const tls_server server;
  client::transport to{server.settings("localhost")};
  const auto port = to.send({"GET", "/port", {}, {}}).body;
  CHECK(to.send({"GET", "/large", {}, {}}).body == std::string(1'000'000, 'x'));
  CHECK(to.send({"POST", "/length", std::string(1'000'000, 'x'), {}}).body == "1000000");
  std::size_t got = 0;
  to.stream(
    {"GET", "/large", {}, {}},
    [&](std::string_view piece) {
      got += piece.size();
      return true;
    },
    std::chrono::seconds{20});
  CHECK(got == 1'000'000);
  CHECK(to.send({"GET", "/port", {}, {}}).body == port);
}

TEST_CASE("A server that is silent, before its handshake or after, ends the call in time") {
  const tls_server server;
  auto how = server.settings("localhost");
  how.timeout = std::chrono::milliseconds{300};
  const auto code_of = [&](const std::string& target) {
    try {
      client::transport{how}.send({"GET", target, {}, {}});
    } catch (const client::failure& e) {
      return e.code();
    }
    return client::fault::usage;
  };
  CHECK(code_of("/silent") == client::fault::timeout);
  std::uint16_t port = 0;
  const auto deaf = listen_on_loopback(port);
  how.agent.port = port;
  CHECK(code_of("/") == client::fault::timeout);
}

TEST_CASE("A certificate that is not trusted, or of another name, ends the call") {
  const tls_server server;
  auto of_system = server.settings("localhost");
  of_system.ca_file.clear();
  CHECK(fault_of(of_system) == client::fault::tls);
  CHECK(fault_of(server.settings("127.0.0.1")) == client::fault::tls);
  try {
    client::transport{server.settings("127.0.0.1")}.send({"GET", "/whoami", {}, {}});
  } catch (const client::failure& e) {
    CHECK(e.message().ends_with("is not trusted: IP address mismatch"));
  }
  auto no_file = server.settings("localhost");
  no_file.ca_file = server.at("absent");
  CHECK(fault_of(no_file) == client::fault::tls);
  auto wrong_key = server.settings("localhost");
  wrong_key.key_file = server.at("server.key");
  CHECK(fault_of(wrong_key) == client::fault::tls);
}

TEST_CASE("A certificate of the client that the agent refuses ends the call at once, and the agent's word is told") {
  const tls_server server;
  const auto made = run_tool("cd " + server.dir.path().string() +
                             " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
                             " -keyout other.key -out other.pem -subj /CN=other");
  REQUIRE(made.code == 0);
  auto stranger = server.settings("localhost");
  stranger.cert_file = server.at("other.pem");
  stranger.key_file = server.at("other.key");
  const auto begin = std::chrono::steady_clock::now();
  try {
    client::client{stranger}.whoami();
    FAIL("it was answered");
  } catch (const client::failure& e) {
    CHECK(e.code() == client::fault::tls);
    CHECK(e.message().find("refuses the connection, or this certificate: ") != std::string::npos);
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{20}); // an outage is waited for 30 s
}

TEST_CASE("What speaks no TLS is no agent at https") {
  const tls_server server;
  auto plain = server.settings("localhost");
  plain.agent.how = client::address::scheme::http;
  CHECK_THROWS_AS(client::client{plain}.whoami(), client::failure);
}

} // namespace mistify::test
