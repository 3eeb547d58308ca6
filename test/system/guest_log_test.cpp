#include "house.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <vector>

using namespace mistify::test;

namespace {

constexpr const char* path_of_service = "/guests/log";

struct with_guest : house {
  using house::house;
  std::string id = create_guest();

  std::string path(const std::string& query = "") const { return "/guests/" + id + "/log" + query; }

  void serve(std::function<bool(const write_bytes&)> stream) {
    sub.on(path_of_service, [=](const call&) { return download(stream); });
  }
  /// Says something, and no more until the agent leaves.
  void serve_silence(std::string first) {
    serve([=](const write_bytes& write) {
      write(first);
      while (write(""))
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
      return false;
    });
  }
};

} // namespace

TEST_CASE("a log is passed on as text, and the service gets the bare request") {
  with_guest h;
  h.serve([](const write_bytes& write) { return write("one\n") && write("\x1b[31mtwo\n"); });
  const auto answer = h.http.get(h.path());
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "text/plain; charset=utf-8");
  CHECK(answer.body == "one\n\x1b[31mtwo\n");
  CHECK(answer.whole);
  h.http.get(h.path("?tail=5&follow=true"));
  h.http.get(h.path("?offset=7&limit=9"));
  const auto sent = h.sub.calls(path_of_service);
  REQUIRE(sent.size() == 3);
  CHECK(sent[0].verb == "POST");
  CHECK(text_at(sent[0].body, "guest/id") == h.id);
  CHECK(at(sent[0].body, "tail") == "(absent)");
  CHECK(at(sent[0].body, "follow") == "false");
  CHECK(at(sent[1].body, "tail") == "5");
  CHECK(at(sent[1].body, "follow") == "true");
  CHECK(at(sent[2].body, "offset") == "7");
  CHECK(at(sent[2].body, "limit") == "9");
}

TEST_CASE("a log is asked for by lines or by bytes, not by both") {
  with_guest h;
  h.serve([](const write_bytes&) { return true; });
  for (const auto* query : {"?tail=1&offset=2", "?tail=1&limit=2", "?tail=x", "?tail=-1", "?offset=1.5",
                            "?limit=", "?follow=maybe", "?lines=5"})
    CHECK(h.http.get(h.path(query)).status == 400);
  CHECK(h.sub.calls(path_of_service).empty());
  CHECK(h.http.get("/guests/6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40/log").status == 404);
}

TEST_CASE("a log that is not configured is not found, and a refusal is passed on") {
  with_guest h{[](config_file& c) { c.actions.erase("guestLog"); }};
  const auto absent = h.http.get(h.path());
  CHECK(absent.status == 404);
  CHECK(error_message(absent) == "guestLog: Not configured");
  // Containers have an action of their own.
  const auto container = h.create_guest(R"("type":"container")");
  h.sub.on(path_of_service, [](const call&) { return http_reply(404, "the guest has no container\n"); });
  const auto refused = h.http.get("/guests/" + container + "/log");
  CHECK(refused.status == 404);
  CHECK(error_message(refused).find("no container") != std::string::npos);
}

TEST_CASE("a log that is followed may be silent for longer than an answer may take") {
  with_guest h{[](config_file& c) { c.stages("guestLog", R"({"service":"log","method":"Test.Log","timeout":0.2})"); }};
  h.serve([](const write_bytes& write) {
    write("early ");
    std::this_thread::sleep_for(std::chrono::milliseconds{600});
    return write("late");
  });
  const auto followed = h.http.get(h.path("?follow=true"));
  CHECK(followed.body == "early late");
  CHECK(followed.whole);
  CHECK_FALSE(h.http.get(h.path()).whole);
}

TEST_CASE("whoever follows a log does not hold up the end of the agent") {
  with_guest h{[](config_file& c) { c.top["drain_timeout"] = "600"; }};
  h.serve_silence("first\n");
  raw_client reader{h.http.port()};
  reader.send(request_text("GET", h.path("?follow=true")));
  REQUIRE(h.sub.wait_for(path_of_service, 1));
  CHECK(h.agent.stop() == 0);
}

TEST_CASE("five read a guest's log at a time, a sixth is told so, and one that leaves makes place") {
  with_guest h;
  h.serve_silence("x");
  std::vector<std::unique_ptr<raw_client>> readers;
  const auto read = [&](const std::string& path) {
    readers.push_back(std::make_unique<raw_client>(h.http.port()));
    readers.back()->send(request_text("GET", path));
  };
  for (int i = 0; i < 5; ++i)
    read(h.path("?follow=true"));
  CHECK(h.sub.wait_for(path_of_service, 5));
  const auto sixth = h.http.get(h.path());
  CHECK(sixth.status == 429);
  CHECK(error_message(sixth) == "too many readers of this guest's log");
  // Neither downloads nor other guests wait for them, until the service has no place left.
  h.sub.on("/snapshots/download", [](const call&) { return download([](const write_bytes& w) { return w("data"); }); });
  CHECK(h.http.get("/guests/" + h.id + "/snapshots/a/download").body == "data");
  const auto other = "/guests/" + h.create_guest() + "/log?follow=true";
  for (int i = 0; i < 3; ++i)
    read(other);
  CHECK(h.sub.wait_for(path_of_service, 8));
  const auto ninth = h.http.get(other);
  CHECK(ninth.status == 429);
  CHECK(error_message(ninth).find("no free place") != std::string::npos);
  readers.front()->close();
  CHECK(eventually([&] { return h.sub.left() == 1; }));
  h.serve([](const write_bytes& write) { return write("free"); });
  CHECK(eventually([&] { return h.http.get(h.path()).body == "free"; }));
  CHECK(h.healthy());
}

TEST_CASE("HEAD of a log that would be followed is answered at once") {
  with_guest h;
  h.serve([](const write_bytes&) { return true; });
  CHECK(h.http.send("HEAD", h.path("?follow=true")).status == 200);
  CHECK(at(h.sub.calls(path_of_service).at(0).body, "follow") == "false");
  CHECK(at(h.sub.calls(path_of_service).at(0).body, "limit") == "0");
}
