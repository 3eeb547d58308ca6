#include "house.hpp"
#include "sockets.hpp"
#include "test/http/raw_tls_client.hpp"
#include "test/http/test_certificates.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <exception>
#include <thread>

using namespace mistify::test;
using Catch::Contains;

namespace {

/// An agent that serves over TLS, and lets a certificate named "controller" do what controllers do.
struct tls_agent {
  temp_dir dir;
  test_ca ca{"ca"};
  cert_files server = ca.issue(dir, "server"), controller = ca.issue(dir, "controller", {"DNS:controller", 30});
  sub_agent sub;
  std::uint16_t port = free_port();
  std::string log = (dir.path() / "stderr").string();
  process agent{{"-a", "127.0.0.1:" + std::to_string(port), "-c", write_config("")}, log};

  explicit tls_agent() {
    REQUIRE(eventually([&] { return asks({}, "/healthz") == 200; }));
  }

  /// `crl`: "" or the file.
  std::string write_config(const std::string& crl) const {
    config_file config{sub.port()};
    config.top["dbpath"] = json_string((dir.path() / "agent.db").string());
    config.top["tls"] = R"({"cert":)" + json_string(server.cert) + R"(,"key":)" + json_string(server.key) +
                        R"(,"client_ca":)" + json_string(ca.certificate(dir)) +
                        (crl.empty() ? "" : ",\"crl\":" + json_string(crl)) + "}";
    config.top["access"] = R"({"certs":[{"san":"controller","role":"controller"}]})";
    return dir.write("agent.json", config.text());
  }

  void reload(const std::string& crl) {
    write_config(crl);
    agent.signal(SIGHUP);
  }

  tls_manner with_certificate() const {
    tls_manner how;
    how.cert = controller.cert;
    how.key = controller.key;
    return how;
  }

  /// The status; 0: the agent does not serve the client.
  int asks(const tls_manner& how, const std::string& path) const {
    try {
      return raw_tls_client{port, how}.get(path).status;
    } catch (const std::exception&) {
      return 0;
    }
  }
};

/// True once the stream ends.
bool ends(raw_client& stream) {
  for (int i = 0; i < 10'000; ++i)
    if (stream.receive(1).empty())
      return true;
  return false;
}

} // namespace

TEST_CASE("with tls the agent serves TLS only, and a client certificate is an identity") {
  tls_agent house;
  CHECK(house.asks({}, "/guests") == 401);
  CHECK(house.asks(house.with_certificate(), "/guests") == 200);
  CHECK(house.asks(house.with_certificate(), "/tokens") == 403);
  const auto who = raw_tls_client{house.port, house.with_certificate()}.get("/whoami");
  CHECK_THAT(who.body, Contains(R"("name":"controller","how":"cert","role":"controller")"));
  CHECK(raw_client{house.port}.get("/healthz").status == 400);
}

TEST_CASE("a certificate that a reload revokes loses its rights and its streams at once") {
  tls_agent house;
  raw_tls_client open{house.port, house.with_certificate()}, stream{house.port, house.with_certificate()};
  CHECK(open.get("/guests").status == 200);
  stream.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK_THAT(stream.receive(12), Contains("200"));
  house.reload(house.dir.write("broken", "no list"));
  CHECK(eventually([&] { return read_text(house.log).find("cannot be read again") != std::string::npos; }));
  CHECK_THAT(read_text(house.log), Contains("tls.crl"));
  CHECK(open.get("/guests").status == 200);
  house.reload(house.ca.revocations(house.dir, 1)); // the controller's
  CHECK(eventually([&] { return open.get("/guests").status == 401; }));
  CHECK(ends(stream));
  CHECK(house.asks(house.with_certificate(), "/guests") == 0);
  CHECK(eventually([&] { return read_text(house.log).find("certificate revoked") != std::string::npos; }));
  CHECK(house.asks({}, "/healthz") == 200);
}

TEST_CASE("a request over TLS that comes while others wait, or lie read in the library's buffer, is answered at once") {
  tls_agent house;
  gate door;
  house.sub.on("Test.ListImages", [&](const call& asked) {
    door.wait();
    return result(asked, R"({"images":[]})");
  });
  raw_tls_client client{house.port, house.with_certificate()};
  const auto get = [](const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"; };
  client.send(get("/images")); // a record each, the first two in the buffer when the third comes
  client.send(get("/healthz"));
  CHECK(house.sub.wait_for("Test.ListImages", 1));
  client.send(get("/whoami"));
  std::this_thread::sleep_for(std::chrono::milliseconds{100}); // the agent is to see it before the first is answered
  door.open();
  for (int i = 0; i < 3; ++i) // each within five seconds
    CHECK(client.answer().status == 200);
}

TEST_CASE("the start is refused, with the file, if TLS cannot be served") {
  const temp_dir dir;
  const auto run = [&](const std::string& members) {
    return run_agent({"-c", dir.write("agent.json", R"({"dbpath":)" + json_string((dir.path() / "a.db").string()) +
                                                      "," + members + "}")});
  };
  const auto missing = run(R"("tls":{"cert":"/nowhere.crt","key":"/nowhere.key"})");
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, Contains("tls.cert") && Contains("/nowhere.crt") && Contains("No such file"));
  const auto plain = run(R"("http":{"listen":["tcp:0.0.0.0:0"]})");
  CHECK(plain.code == 1);
  CHECK_THAT(plain.err, Contains("loopback"));
}
