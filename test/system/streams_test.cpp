#include "house.hpp"

#include <catch2/catch.hpp>

#include <atomic>

using namespace mistify::test;

namespace {

constexpr const char* path_of_service = "/snapshots/download";

struct with_guest : house {
  using house::house;
  std::string id = create_guest();
  std::string path = "/guests/" + id + "/snapshots/a/download";

  void serve(std::function<bool(const write_bytes&)> stream, std::int64_t length = -1) {
    sub.on(path_of_service, [=](const call&) { return download(stream, length); });
  }
};

/// Bytes that differ from place to place, so that lost or doubled pieces are seen.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return bytes;
}

/// Writes until the agent goes; counts what was taken.
std::function<bool(const write_bytes&)> endless(std::atomic<std::size_t>& written) {
  return [&written](const write_bytes& write) {
    const std::string piece(65536, 'x');
    while (write(piece))
      written += piece.size();
    return true;
  };
}

} // namespace

TEST_CASE("a download passes every byte through, as it comes") {
  with_guest h;
  const auto data = pattern(3'000'000);
  for (const bool counted : {true, false}) {
    h.serve([&](const write_bytes& write) { return write(data); },
            counted ? static_cast<std::int64_t>(data.size()) : -1);
    const auto answer = h.http.get(h.path, {"Accept-Encoding: gzip"});
    CHECK(answer.status == 200);
    CHECK(answer.header("content-type") == "application/octet-stream");
    CHECK(answer.header("content-encoding").empty());
    CHECK(answer.job().empty());
    CHECK(answer.whole);
    CHECK((answer.body == data));
  }
}

TEST_CASE("an empty download is an empty answer") {
  with_guest h;
  h.serve([](const write_bytes&) { return true; });
  const auto answer = h.http.get(h.path);
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "application/octet-stream");
  CHECK(answer.whole);
  CHECK(answer.body.empty());
}

TEST_CASE("an empty download of known length is an empty answer of the same type") {
  with_guest h;
  h.serve([](const write_bytes&) { return true; }, 0);
  const auto answer = h.http.get(h.path);
  CHECK(answer.status == 200);
  CHECK(answer.header("content-type") == "application/octet-stream");
  CHECK(answer.header("content-length") == "0");
}

TEST_CASE("the service gets the bare request, on its path") {
  with_guest h;
  h.serve([](const write_bytes& write) { return write("data"); });
  h.http.get(h.path);
  h.http.get("/guests/" + h.id + "/disks/2/snapshots/a/download");
  const auto sent = h.sub.calls(path_of_service);
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].verb == "POST");
  CHECK(at(sent[0].body, "") ==
        R"({"id":"guests/)" + h.id + R"(@a","dest":"","recursive":true,"destroyMoreRecent":false})");
  CHECK(text_at(sent[1].body, "id") == "guests/" + h.id + "/disk-2@a");
  CHECK(at(sent[1].body, "recursive") == "false");
}

TEST_CASE("a refused download has the sub-agent's status and text") {
  with_guest h;
  for (const int status : {400, 404, 500, 503}) {
    h.sub.on(path_of_service, [=](const call&) { return http_reply(status, "not a snapshot\n"); });
    const auto answer = h.http.get(h.path);
    CHECK(answer.status == status);
    CHECK(error_message(answer).find("not a snapshot") != std::string::npos);
  }
}

TEST_CASE("a sub-agent that hangs up before it answers is a bad gateway") {
  with_guest h;
  h.sub.on(path_of_service, [](const call&) { return raw_reply(""); });
  const auto answer = h.http.get(h.path);
  CHECK(answer.status == 502);
  CHECK_FALSE(error_message(answer).empty());
}

TEST_CASE("a source that breaks off breaks the transfer off, without a word in the data") {
  with_guest h;
  const auto data = pattern(200'000);
  for (const bool counted : {true, false}) {
    h.serve(
      [&](const write_bytes& write) {
        write(data);
        return false;
      },
      counted ? 1'000'000 : -1);
    const auto answer = h.http.send_raw(request_text("GET", h.path));
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.whole);
    CHECK((data.starts_with(answer.body)));
  }
  CHECK(h.healthy());
}

TEST_CASE("a client that does not read holds the source back") {
  with_guest h;
  std::atomic<std::size_t> written = 0;
  h.serve(endless(written));
  raw_client slow{h.http.port(), 65536};
  slow.send(request_text("GET", h.path));
  CHECK(eventually([&] { return written > 0; }));
  // Quiet for half a second: every buffer on the way is full.
  std::size_t before = 0;
  CHECK(eventually([&] {
    before = written;
    return !eventually([&] { return written != before; }, std::chrono::milliseconds{500});
  }));
  CHECK(written < 48U * 1024 * 1024);
  CHECK(h.healthy());
  slow.close();
  CHECK(eventually([&] { return h.sub.left() == 1; }));
}

TEST_CASE("a client that leaves ends the call to the sub-agent, though nothing flows") {
  with_guest h;
  h.sub.on(path_of_service, [](const call&) { return hang(); });
  {
    raw_client leaving{h.http.port()};
    leaving.send(request_text("GET", h.path));
    CHECK(h.sub.wait_for(path_of_service, 1));
  }
  CHECK(eventually([&] { return h.sub.left() == 1; }));
}

TEST_CASE("five downloads of a guest run at a time, and one that leaves makes place") {
  with_guest h{[](config_file& c) {
    c.services["download"].pop_back();
    c.services["download"] += R"(,"max_pending":20})";
  }};
  std::atomic<std::size_t> written = 0;
  h.serve(endless(written));
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i < 7; ++i) {
    clients.push_back(std::make_unique<raw_client>(h.http.port(), 65536));
    clients.back()->send(request_text("GET", h.path));
  }
  CHECK(h.sub.wait_for(path_of_service, 5));
  CHECK_FALSE(eventually([&] { return h.sub.calls(path_of_service).size() > 5; }, std::chrono::milliseconds{300}));
  // Another guest has slots of its own.
  const auto other = h.create_guest();
  raw_client elsewhere{h.http.port(), 65536};
  elsewhere.send(request_text("GET", "/guests/" + other + "/snapshots/a/download"));
  CHECK(h.sub.wait_for(path_of_service, 6));
  for (std::size_t i = 0; i < 7; ++i) // whichever five they are: leaving them all lets the rest through
    clients[i]->close();
  CHECK(eventually([&] { return h.sub.under_way() == 1; }));
  h.serve([](const write_bytes& write) { return write("done"); });
  CHECK(h.http.get(h.path).body == "done");
}

TEST_CASE("a download that is not configured is not found") {
  with_guest h{[](config_file& c) { c.actions.erase("downloadSnapshot"); }};
  const auto answer = h.http.get(h.path);
  CHECK(answer.status == 404);
  CHECK(error_message(answer) == "downloadSnapshot: Not configured");
}

TEST_CASE("a download of an unknown guest is not found") {
  const house h;
  CHECK(h.http.get("/guests/6a0a1b9c-5d7e-4c2f-8a55-0d9e3c1b2f40/snapshots/a/download").status == 404);
}
