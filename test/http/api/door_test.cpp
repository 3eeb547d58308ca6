#include "http/api/door.hpp"

#include "test/http/raw_client.hpp"
#include "test/http/running_server.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using http::request;

namespace {

request with(std::vector<http::header_field> headers) {
  request r;
  r.method = "GET";
  headers.push_back({"host", "127.0.0.1:8080"});
  r.headers = http::header_fields{headers};
  return r;
}

const auto page_types = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

} // namespace

TEST_CASE("a request without marks of a browser comes from none") {
  CHECK_FALSE(http::comes_from_browser(with({{"user-agent", "curl/7.88"}})));
  CHECK_FALSE(http::comes_from_browser(with({{"user-agent", "Go-http-client Mozilla/5.0"}})));
  CHECK_FALSE(http::comes_from_browser(with({{"sec-websocket-key", "x"}})));
  CHECK(http::comes_from_browser(with({{"user-agent", "Mozilla/5.0 (X11; Linux x86_64)"}})));
  CHECK(http::comes_from_browser(with({{"user-agent", "proxy/1, Mozilla/5.0 (X11; Linux x86_64)"}})));
  CHECK(http::comes_from_browser(with({{"origin", ""}})));
  for (const auto* name : {"sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"})
    CHECK(http::comes_from_browser(with({{name, "none"}})));
}

TEST_CASE("a page is opened by a navigation of the whole window") {
  const auto opened = [](std::string mode, std::string dest, std::string accept) {
    return http::opens_page(with({{"sec-fetch-mode", mode}, {"sec-fetch-dest", dest}, {"accept", accept}}));
  };
  CHECK(opened("navigate", "document", page_types));
  CHECK_FALSE(opened("navigate", "iframe", page_types));
  CHECK_FALSE(opened("no-cors", "image", page_types));
  CHECK_FALSE(opened("cors", "empty", page_types));
  CHECK_FALSE(opened("navigate", "document", "application/json"));
  auto posted = with({{"sec-fetch-mode", "navigate"}, {"accept", page_types}});
  CHECK(http::opens_page(posted));
  posted.method = "POST";
  CHECK_FALSE(http::opens_page(posted));
}

TEST_CASE("a page is opened over plain HTTP too, where browsers do not say what they fetch") {
  CHECK(http::opens_page(with({{"accept", page_types}})));
  CHECK_FALSE(http::opens_page(with({{"accept", "*/*"}})));
  CHECK_FALSE(http::opens_page(with({{"accept", page_types}, {"origin", "http://127.0.0.1:8080"}})));
  CHECK_FALSE(http::opens_page(with({{"accept", page_types}, {"sec-fetch-site", "cross-site"}})));
  CHECK_FALSE(http::opens_page(with({{"accept", page_types}, {"sec-fetch-dest", "iframe"}})));
}

TEST_CASE("the origin of a page is compared with the authority of an absolute target") {
  auto from = with({{"origin", "http://agent.example"}});
  CHECK(http::is_cross_site(from));
  from.authority = "agent.example";
  CHECK_FALSE(http::is_cross_site(from));
}

TEST_CASE("a server with a door answers nobody who asks for another") {
  http::server_settings settings;
  settings.door = std::make_shared<const rpc::door>(std::vector<std::string>{"agent.example"});
  test::running_server s{{}, settings};
  const auto asked = [&](const std::string& request, bool to_head = false) {
    test::raw_client c{s.port};
    c.send(request);
    return c.answer(to_head);
  };
  CHECK(asked("GET / HTTP/1.1\r\nHost: agent.example\r\n\r\n").status == 200);
  CHECK(asked("GET / HTTP/1.0\r\n\r\n").status == 200);
  CHECK(asked("GET / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(asked("GET / HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n").status == 400);
  CHECK(asked("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 421);
  const auto no = asked("POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(no.status == 421);
  CHECK(no.headers.at("x-content-type-options") == "nosniff");
  CHECK(no.headers.at("cache-control") == "no-store");
  test::raw_client later{s.port}; // each request of a connection counts by itself
  for (int i = 0; i < 2; ++i) {
    later.send("GET / HTTP/1.1\r\nHost: agent.example\r\n\r\n");
    CHECK(later.answer().status == 200);
  }
  later.send("GET http://agent.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  CHECK(later.answer().status == 200);
  later.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  CHECK(later.answer().status == 421);
  for (const auto* second : {"GET http://evil.example/ HTTP/1.1\r\nHost: agent.example\r\n\r\n",
                             "GET / HTTP/1.1\r\nHost: agent.example\r\nHost: agent.example\r\n\r\n"}) {
    test::raw_client known{s.port};
    known.send("GET / HTTP/1.1\r\nHost: agent.example\r\n\r\n");
    CHECK(known.answer().status == 200);
    known.send(second);
    CHECK(known.answer().status >= 400);
  }
  test::raw_client head{s.port};
  head.send("HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  CHECK(head.answer(true).status == 421);
  CHECK(head.rest().empty());
}
