#include "fetch_lab.hpp"

#include <catch2/catch.hpp>

using namespace mistify::agents::storage;
using namespace mistify::test;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::EndsWith;

namespace {

/// A source whose first answer breaks off after a part, and whose second is up to the test.
struct broken_lab : fetch_lab {
  static constexpr std::size_t sent = 100'000;
  int asked = 0;
  bool gone = false; // after the second

  void second_is(std::function<std::string(std::size_t from)> answer) {
    web.special = [this, answer = std::move(answer)](const std::string& request) -> std::string {
      if (request.find(".sha256") != request.npos)
        return web.answer("404 Not Found", "");
      const auto whole = web.answer("200 OK", web.body);
      if (++asked > 2 && gone)
        return web.answer("404 Not Found", "gone");
      if (asked == 1)
        return whole.substr(0, whole.find("\r\n\r\n") + 4 + sent);
      const auto range = request.find("Range: bytes=");
      if (range == request.npos)
        return whole;
      return answer(std::stoul(request.substr(range + 13)));
    };
  }
  std::string part(std::size_t from, std::size_t to, std::size_t total) const {
    return web.answer("206 Partial Content", web.body.substr(from, to - from), range(from, to, total));
  }
  static std::string range(std::size_t from, std::size_t to, std::size_t total) {
    return "Content-Range: bytes " + std::to_string(from) + '-' + std::to_string(to - 1) + '/' + std::to_string(total) +
           "\r\n";
  }
  /// Everything came from the source as it is now, and its sum, too.
  void expect_the_newest(const std::string& sum = "") {
    get(web.url(), sum);
    CHECK(content == web.body);
  }
};

} // namespace

TEST_CASE_METHOD(broken_lab, "a source that ignores that its file has changed is read anew") {
  second_is([this](std::size_t from) {
    if (web.etag == "\"v1\"") {
      web.etag = "\"v2\"";
      web.body = std::string(web.body.size(), 'n');
    }
    return part(from, web.body.size(), web.body.size());
  });
  expect_the_newest(sum_of(std::string(web.body.size(), 'n')));
  CHECK(asked == 3);
}

TEST_CASE_METHOD(broken_lab, "a part that does not say of which version it is is not taken") {
  const auto old = web.body;
  for (const std::string etag : {"", "W/\"v1\""}) {
    asked = 0;
    web.etag = "\"v1\"";
    web.body = old;
    second_is([this, etag](std::size_t from) {
      web.etag = etag;
      web.body = std::string(web.body.size(), 'n');
      return part(from, web.body.size(), web.body.size());
    });
    expect_the_newest();
  }
}

TEST_CASE_METHOD(broken_lab, "a part of a file of another size, or of another place, is not taken") {
  second_is([this](std::size_t from) { return part(from, web.body.size(), web.body.size() + 1); });
  expect_the_newest();
  asked = 0;
  second_is([this](std::size_t from) { return part(from - 10, web.body.size(), web.body.size()); });
  expect_the_newest();
  asked = 0;
  second_is([this](std::size_t from) {
    return web.answer("206 Partial Content", web.body.substr(from) + "more",
                      range(from, web.body.size(), web.body.size()));
  });
  expect_the_newest();
}

TEST_CASE_METHOD(broken_lab, "a source that refuses to go on is read as a whole, once") {
  for (const auto* status :
       {"400 Bad Request", "405 No", "412 Precondition Failed", "416 Range Not Satisfiable", "501 No"}) {
    INFO(status);
    asked = 0;
    second_is([this, status](std::size_t) { return web.answer(status, "no"); });
    expect_the_newest();
    CHECK(asked == 3);
  }
  asked = 0;
  gone = true;
  second_is([this](std::size_t) { return web.answer("404 Not Found", "gone"); });
  CHECK_THROWS_WITH(get(web.url()), "unexpected http response code: 404");
}

TEST_CASE_METHOD(broken_lab, "parts of a size that the source likes make a whole") {
  second_is([this](std::size_t from) { return part(from, std::min(from + 50'000, web.body.size()), web.body.size()); });
  expect_the_newest(sum_of(web.body));
  CHECK(asked == 6);
}

TEST_CASE_METHOD(broken_lab,
                 "a source that has become shorter than it said is read as a whole, not taken for complete") {
  second_is([this](std::size_t from) {
    return web.answer("416 Range Not Satisfiable", "no", "Content-Range: bytes */" + std::to_string(from) + "\r\n");
  });
  expect_the_newest();
  CHECK(asked == 3);
}

TEST_CASE_METHOD(fetch_lab, "nothing behind the last byte of a source without a length is all there is") {
  int asked = 0;
  web.special = [&](const std::string& request) -> std::string {
    if (request.find(".sha256") != request.npos)
      return web.answer("404 Not Found", "");
    if (++asked > 1)
      return web.answer("416 Range Not Satisfiable", "<html>", "Content-Range: bytes */5\r\n");
    return "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\xffound\r\n";
  };
  get(web.url());
  CHECK(content == "\xffound");
  CHECK(asked == 2);
}

TEST_CASE_METHOD(fetch_lab, "an answer of two lengths, or of one beyond all numbers, is not taken for a whole") {
  const auto short_of = web.body.substr(0, 1000);
  for (const std::string length :
       {"1000\r\nContent-Length: 5000", "5000\r\nContent-Length: 1000", "99999999999999999999"}) {
    web.special = [&](const std::string&) {
      return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + length + "\r\n\r\n" + short_of;
    };
    CHECK_THROWS_WITH(get(web.url(), sum_of(short_of)), "the source says no single length of its answer");
  }
}

TEST_CASE_METHOD(fetch_lab, "a source that begins anew each time, and gets nowhere, is given up") {
  limits.tries = 3;
  web.ranges = false;
  web.breaks = std::vector<std::size_t>(50, 100'000);
  CHECK_THROWS_WITH(get(web.url()), EndsWith(", 3 times"));
  CHECK(web.requests().size() <= 5);
}

TEST_CASE_METHOD(fetch_lab, "a source that drips is given up, and says so") {
  limits.tries = 2;
  reading.least_rate = 100'000;
  reading.stall_time = 1s;
  web.half_way = [] { std::this_thread::sleep_for(2500ms); };
  web.body.resize(2000);
  CHECK_THROWS_WITH(get(web.url(), sum_of(web.body)), Contains("too slow") && EndsWith(", 2 times"));
}

TEST_CASE_METHOD(fetch_lab, "a fetch ends when its time is over, also between tries") {
  limits.time = 1ms;
  limits.first_pause = 60s;
  web.statuses = {503};
  CHECK_THROWS_WITH(get(web.url(), sum_of(web.body)), "the image did not come within 1 minutes");
}
