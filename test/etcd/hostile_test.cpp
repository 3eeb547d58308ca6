#include "rpc/base/error.hpp"
#include "rpc/etcd/client.hpp"
#include "test/etcd/real_etcd.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <httplib.h>
#include <thread>

using namespace std::chrono_literals;
using namespace mistify::rpc;
using namespace mistify::rpc::etcd;
using mistify::test::real_etcd;

namespace {

/// What claims to be etcd.
class fake {
public:
  explicit fake(httplib::Server::Handler handler) {
    server_.Post(".*", handler);
    server_.Get(".*", handler);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread{[this] { server_.listen_after_bind(); }};
    while (!server_.is_running())
      std::this_thread::sleep_for(1ms);
  }
  ~fake() {
    server_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

failure trouble_of(client& with) {
  try {
    with.get("/l/a");
  } catch (const failure& e) {
    return e;
  }
  return {errc::none, ""};
}

client_settings settings_for(std::vector<std::string> urls) {
  return {std::move(urls), "", "", {.connect_timeout = 500ms, .timeout = 1s, .max_answer = 10'000}};
}

} // namespace

TEST_CASE("answers larger than the bound are refused") {
  const fake etcd{[](const httplib::Request&, httplib::Response& to) {
    to.set_content(std::string(20'000, 'x'), "application/json");
  }};
  const auto one = make_client(api::v3, settings_for({etcd.url()}));
  CHECK(trouble_of(*one).code() == errc::too_large);
}

TEST_CASE("a line of a watch that never ends is refused") {
  const fake etcd{[](const httplib::Request& from, httplib::Response& to) {
    if (from.path == "/v3/watch")
      to.set_content(std::string(50'000, 'x'), "application/json");
  }};
  const auto one = make_client(api::v3, settings_for({etcd.url()}));
  one->watch({"/l/"}, 1);
  news got;
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (got.state == news::condition::fine && std::chrono::steady_clock::now() < end)
    got = one->wait(1s);
  CHECK(got.state == news::condition::lost);
}

TEST_CASE("a poll of v2 whose answer comes in pieces without end is refused") {
  const fake etcd{[](const httplib::Request&, httplib::Response& to) {
    to.set_chunked_content_provider("application/json", [](std::size_t, httplib::DataSink& sink) {
      std::this_thread::sleep_for(20ms);
      return sink.write(std::string(1'000, ' ').data(), 1'000);
    });
  }};
  const auto one = make_client(api::v2, settings_for({etcd.url()}));
  one->watch({"/l/"}, 1);
  news got;
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (got.state == news::condition::fine && std::chrono::steady_clock::now() < end)
    got = one->wait(1s);
  CHECK(got.state == news::condition::lost);
  CHECK(got.why == etcd.url() + ": the answer is too large");
}

TEST_CASE("what is no etcd is told apart, without control characters of it") {
  const fake web{[](const httplib::Request&, httplib::Response& to) {
    to.status = 418;
    to.set_content("no\x1b[31mteapot\n", "text/plain");
  }};
  const auto one = make_client(api::v3, settings_for({web.url()}));
  const auto trouble = trouble_of(*one);
  CHECK(trouble.code() == errc::sub_agent_failed);
  CHECK(trouble.message() == web.url() + ": no [31mteapot");
}

TEST_CASE("an answer that trickles ends at the time-out") {
  const fake slow{[](const httplib::Request&, httplib::Response& to) {
    to.set_content_provider(1000, "application/json", [](std::size_t, std::size_t, httplib::DataSink& sink) {
      std::this_thread::sleep_for(100ms);
      return sink.write(" ", 1);
    });
  }};
  const auto one = make_client(api::v3, settings_for({slow.url()}));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(trouble_of(*one).code() == errc::deadline_exceeded);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a redirect is not followed") {
  const fake elsewhere{[](const httplib::Request&, httplib::Response& to) { to.set_redirect("http://127.0.0.1:1/"); }};
  const auto one = make_client(api::v3, settings_for({elsewhere.url()}));
  CHECK(trouble_of(*one).code() == errc::sub_agent_failed);
}

TEST_CASE("endpoints that are down or in trouble are passed over, and the message names the last one") {
  const fake busy{[](const httplib::Request&, httplib::Response& to) {
    to.status = 503;
    to.set_content(R"({"error":"etcdserver: no leader","code":14})", "application/json");
  }};
  const real_etcd store;
  const auto one = make_client(api::v3, settings_for({"http://127.0.0.1:1", busy.url(), store.urls()[0]}));
  CHECK(trouble_of(*one).code() == errc::none);
  const auto none = make_client(api::v3, settings_for({"http://127.0.0.1:1", busy.url() + '/'}));
  const auto trouble = trouble_of(*none);
  CHECK(trouble.code() == errc::unavailable);
  CHECK(trouble.message().starts_with(busy.url() + ": 503"));
  CHECK(trouble.message().find("no leader") != std::string::npos);
}

TEST_CASE("https is verified: only with the right authority, and never as plain http", "[etcd]") {
  const mistify::test::temp_dir folder;
  const auto at = [&](const char* name) { return (folder.path() / name).string(); };
  const auto make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=etcd "
                    "-addext subjectAltName=IP:127.0.0.1 -keyout " +
                    at("key") + " -out " + at("cert") + " 2>/dev/null";
  REQUIRE(std::system(make.c_str()) == 0);
  const real_etcd store{{.arguments = {"--cert-file", at("cert"), "--key-file", at("key")}, .scheme = "https"}};
  auto good = settings_for(store.urls());
  good.session.timeout = good.session.connect_timeout = 20s; // a handshake reads all authorities of the system
  good.session.ca = at("cert");
  CHECK(trouble_of(*make_client(api::v3, good)).code() == errc::none);
  auto unknown = good;
  unknown.session.ca.clear(); // the system's, which do not know it
  CHECK(trouble_of(*make_client(api::v3, unknown)).code() == errc::unavailable);
  auto plain = good;
  plain.endpoints[0].erase(4, 1); // http:// where TLS is spoken
  CHECK(trouble_of(*make_client(api::v3, plain)).code() != errc::none);
  auto name = good;
  name.endpoints[0].replace(8, 9, "localhost"); // the certificate has the address only
  CHECK(trouble_of(*make_client(api::v3, name)).code() == errc::unavailable);
}

TEST_CASE("v2 where it is switched off says what to do", "[etcd]") {
  const real_etcd store;
  const auto one = make_client(api::v2, settings_for(store.urls()));
  CHECK(trouble_of(*one).message().find("--enable-v2") != std::string::npos);
}

TEST_CASE("a watch that talks nonsense is lost, once") {
  const fake etcd{[](const httplib::Request& from, httplib::Response& to) {
    if (from.path == "/v3/watch" || from.has_param("wait"))
      to.set_content("nonsense\n", "application/json");
  }};
  for (const auto version : {api::v3, api::v2}) {
    const auto one = make_client(version, settings_for({etcd.url()}));
    one->watch({"/l/"}, 1);
    CHECK(one->wait(5s).state == news::condition::lost);
    CHECK(one->wait(50ms).state == news::condition::fine);
  }
}
