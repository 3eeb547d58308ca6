#include "fetch_lab.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <future>

using namespace mistify::agents::storage;
using namespace mistify::test;
using namespace std::chrono_literals;
using Catch::Contains;
using Catch::EndsWith;

TEST_CASE_METHOD(fetch_lab, "an image is fetched over HTTP and from a file") {
  CHECK(get(web.url()) == "raw");
  CHECK(content == web.body);
  CHECK(progress.total() == static_cast<std::int64_t>(web.body.size()));
  CHECK_THAT(progress.text(), Contains("fetching: ") && Contains(" MB/s"));
  CHECK(get("file://" + dir.write("an image", web.body).replace(dir.path().string().size(), 9, "/an%20image")) ==
        "raw");
  CHECK(content == web.body);
}

TEST_CASE_METHOD(fetch_lab, "packed images are unpacked, and told by their content") {
  const auto plain = qcow2({});
  for (const std::string packer : {"gzip", "xz", "zstd"}) {
    web.body = run({packer, "-q", "-c", dir.write("plain", plain)});
    CHECK(get(web.url("/misleading.raw")) == "qcow2");
    CHECK(content == plain);
  }
}

TEST_CASE_METHOD(fetch_lab, "a broken connection is gone on from where it broke") {
  web.breaks = {100'000, 50'000, 0};
  web.body = run({"gzip", "-c", dir.write("plain", text(2'000'000))});
  REQUIRE(web.body.size() > 200'000);
  get(web.url());
  CHECK(content == text(2'000'000));
  REQUIRE(web.requests().size() == 4);
  CHECK_THAT(web.requests()[1], Contains("Range: bytes=9") && Contains("If-Range: \"v1\""));
  CHECK_THAT(web.requests()[2], Contains("Range: bytes=1"));
}

TEST_CASE_METHOD(fetch_lab, "a source that cannot go on, or has changed, is read anew") {
  web.breaks = {100'000};
  web.ranges = false;
  get(web.url());
  CHECK(content == web.body);
  web_source changing;
  changing.body = text(200'000);
  changing.breaks = {100'000};
  changing.half_way = [&] {
    if (changing.etag == "\"v1\"") {
      changing.etag = "\"v2\"";
      changing.body = text(250'000);
    }
  };
  get(changing.url());
  CHECK(content == text(250'000));
}

TEST_CASE_METHOD(fetch_lab, "a source that is troubled is asked again, one that refuses is not") {
  web.statuses = {503, 500, 429};
  get(web.url());
  CHECK(web.requests().size() == 4);
  web_source refusing;
  refusing.statuses = {404, 404};
  CHECK_THROWS_WITH(get(refusing.url()), "unexpected http response code: 404");
  CHECK(refusing.requests().size() == 1);
}

TEST_CASE_METHOD(fetch_lab, "trouble that does not end is given up at some point") {
  limits.tries = 3;
  web.statuses = std::vector<int>(10, 503);
  CHECK_THROWS_WITH(get(web.url()), "unexpected http response code: 503, 3 times");
  CHECK(web.requests().size() == 3);
  CHECK_THROWS_WITH(get("http://127.0.0.1:" + std::to_string(free_port()) + "/x", std::string(64, '0')),
                    Contains("connect") && EndsWith(", 3 times"));
}

TEST_CASE_METHOD(fetch_lab, "the sum is checked: the one that was given, or the one beside the source") {
  const auto good = sum_of(web.body);
  CHECK_NOTHROW(get(web.url(), good));
  CHECK_THROWS_WITH(get(web.url(), std::string(64, '0')), Contains("is " + good + ", and not 000"));
  web_source with_sum;
  with_sum.body = web.body;
  with_sum.sum_file = good + "  disk.img\n";
  CHECK_NOTHROW(get(with_sum.url()));
  web_source with_wrong_sum;
  with_wrong_sum.body = web.body;
  with_wrong_sum.sum_file = std::string(64, '1') + "  disk.img\n";
  CHECK_THROWS_WITH(get(with_wrong_sum.url()), Contains("and not 111"));
  CHECK_NOTHROW(get(with_wrong_sum.url(), good));
}

TEST_CASE_METHOD(fetch_lab, "an image that is too large is refused before it is read, or when it turns out to be") {
  limits.max_size = 200'000;
  CHECK_THROWS_WITH(get(web.url()), Contains("larger than"));
  CHECK(progress.total() == -1);
  limits.max_size = mb;
  const auto zeros = dir.write("zeros", "");
  std::filesystem::resize_file(zeros, 16 * mb);
  web.body = run({"gzip", "-c", zeros});
  CHECK_THROWS_WITH(get(web.url()), "the image is larger than 1 MB, the most there may be");
  web.body = qcow2({});
  CHECK_THROWS_WITH(get(web.url()), Contains("larger than 1 MB"));
}

TEST_CASE_METHOD(fetch_lab, "an image that does not fit is refused") {
  limits.space = [] { return 200'000; };
  CHECK_THROWS_WITH(get(web.url()), "no space left on device");
  web.body = run({"gzip", "-c", dir.write("plain", text(400'000))});
  CHECK_THROWS_WITH(get(web.url()), "no space left on device");
}

TEST_CASE_METHOD(fetch_lab, "an image that names other files of the host is refused") {
  web.body = qcow2({"-u", "-b", "/etc/passwd", "-F", "raw"});
  CHECK_THROWS_WITH(get(web.url()), Contains("needs another file"));
  web.body = qcow2({"-o", "data_file=" + (dir.path() / "data").string()});
  CHECK_THROWS_WITH(get(web.url()), Contains("needs another file"));
  web.body = "QFI\xfb" + std::string(200, '\xff');
  CHECK_THROWS_WITH(get(web.url()), Contains("not a sound qcow2 file"));
  web.body.clear();
  CHECK_THROWS_WITH(get(web.url()), "the image is empty");
}

TEST_CASE_METHOD(fetch_lab, "only files, and what HTTP leads to, are read") {
  for (const auto* bad : {"ftp://h/x", "gopher://h/x", "/etc/passwd", "", "javascript:1", "scp://h/x"})
    CHECK_THROWS_WITH(get(bad), Contains("must be an http, https or file URL"));
  CHECK_THROWS_WITH(get("file:///no/such/image"), Contains("no such file"));
  CHECK_THROWS_WITH(get("file:///dev/zero"), Contains("not a file"));
  web.redirect = "file:///etc/passwd";
  CHECK_THROWS_AS(get(web.url()), source_refused);
  web_source elsewhere;
  elsewhere.body = text(1000);
  web_source moved;
  moved.redirect = elsewhere.url();
  get(moved.url());
  CHECK(content == elsewhere.body);
}

TEST_CASE_METHOD(fetch_lab, "files, and their sums, are read from the folders only that may be read") {
  std::filesystem::create_directory(dir.path() / "images");
  const auto image = dir.write("images/a.img", web.body), secret = dir.write("secret", sum_of(web.body));
  files = {(dir.path() / "images").string()};
  get("file://" + image);
  CHECK(content == web.body);
  for (const auto& url : {"file://" + secret, "file://localhost" + secret, "FILE://" + secret,
                          "file://" + dir.path().string() + "/images/../secret",
                          "file://" + dir.path().string() + "/images/%2e%2e/secret"})
    CHECK_THROWS_WITH(get(url), Contains("not in a folder that images may come from: ") && EndsWith("/secret"));
  std::filesystem::create_symlink(secret, image + ".sha256");
  CHECK_THROWS_WITH(get("file://" + image), Contains("not in a folder that images may come from"));
  CHECK_THROWS_AS(get("file://" + image), source_refused);
}

TEST_CASE_METHOD(fetch_lab, "a fetch that nobody wants ends at once, in a stall and between tries") {
  std::atomic<bool> stopped = false;
  stop = [&] { return stopped.load(); };
  web.half_way = [&] {
    stopped = true;
    std::this_thread::sleep_for(300ms);
  };
  CHECK_THROWS_WITH(get(web.url()), "cancelled");
  limits.first_pause = 60s;
  stopped = false;
  web_source troubled;
  troubled.statuses = {503};
  stop = [&] { return !troubled.requests().empty(); };
  CHECK_THROWS_WITH(get(troubled.url()), "cancelled");
}

TEST_CASE_METHOD(fetch_lab, "https is read where the certificate is trusted, and only there") {
  const auto key = (dir.path() / "key.pem").string(), certificate = (dir.path() / "cert.pem").string();
  run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
       "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate});
  // It sends files as they are, so that the head of the answer is in the file. It ends when the test closes its input.
  dir.write("answer", "HTTP/1.0 200 OK\r\nETag: \"1\"\r\n\r\n" + web.body);
  const auto port = std::to_string(free_port());
  const auto serve = "cd " + dir.path().string() + "; openssl s_server -quiet -HTTP -accept 127.0.0.1:" + port +
                     " -key key.pem -cert cert.pem > log 2>&1 & read end; kill $!";
  FILE* server = ::popen(serve.c_str(), "w");
  const auto url = "https://127.0.0.1:" + port + "/answer";
  const auto sum = sum_of(web.body);
  limits.tries = 20;
  limits.longest_pause = 100ms;
  fetch trusting{{url, sum}, limits, {.ca_file = certificate, .nets = {"127.0.0.0/8"}}, stop, progress};
  CHECK(trusting.run(file) == "raw");
  // A redirect to plain HTTP would give away what https is for.
  dir.write("moved", "HTTP/1.0 302 Found\r\nLocation: " + web.url() + "\r\n\r\n");
  fetch misled{{"https://127.0.0.1:" + port + "/moved", sum},
               limits,
               {.ca_file = certificate, .nets = {"127.0.0.0/8"}},
               stop,
               progress};
  CHECK_THROWS_WITH(misled.run(file), "the source redirects from https to http");
  CHECK(web.requests().empty());
  limits.tries = 1;
  fetch careful{{url, sum}, limits, {.nets = {"127.0.0.0/8"}}, stop, progress};
  CHECK_THROWS_WITH(careful.run(file), Contains("certificate"));
  ::pclose(server);
}

TEST_CASE_METHOD(fetch_lab,
                 "a thread that fetches takes no SIGPIPE, also in a program that has not asked to be spared") {
  // When the other end of a TLS connection leaves is up to the scheduler: so the mask is looked at.
  std::async(std::launch::async, [&] {
    CHECK(get(web.url()) == "raw");
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    CHECK(sigismember(&blocked, SIGPIPE) == 1);
  }).get();
}

TEST_CASE_METHOD(fetch_lab, "the sum beside a source is absent where the server says so in whatever way") {
  const auto answers = [&](const std::string& sum_answer) {
    web_source with;
    with.body = web.body;
    with.special = [&](const std::string& request) {
      return request.find(".sha256") == request.npos ? "" : sum_answer;
    };
    get(with.url());
  };
  for (const auto* status : {"400 x", "401 x", "403 x", "404 x", "405 x", "409 x", "410 x", "429 x", "451 x"})
    CHECK_NOTHROW(answers(web.answer(status, std::string(64, '0'))));
  CHECK_NOTHROW(answers(web.answer("200 OK", "<html>" + std::string(64, '0'))));
  CHECK_NOTHROW(answers(web.answer("200 OK", std::string(64, '0'), "Content-Type: text/html; charset=utf-8\r\n")));
  CHECK_NOTHROW(answers(web.answer("200 OK", std::string(100'000, '0'))));
  CHECK_THAT(progress.text(), !Contains(".sha256"));
  CHECK_NOTHROW(answers(web.answer("200 OK", "no sum of it")));
  CHECK_THAT(progress.text(), Contains("/disk.img.sha256 has no sum of the image"));
}

TEST_CASE_METHOD(fetch_lab, "a refusal of the sum is final, also one that asks for patience") {
  limits.first_pause = limits.longest_pause = 60s;
  for (const auto* status : {"400 x", "404 x", "408 x", "425 x", "429 x", "499 x"}) {
    int asked = 0;
    web_source with;
    with.body = web.body;
    with.special = [&](const std::string& request) -> std::string {
      if (request.find(".sha256") == request.npos)
        return "";
      ++asked;
      return web.answer(status, "", "Retry-After: 60\r\n");
    };
    INFO(status);
    CHECK(get(with.url()) == "raw");
    CHECK(asked == 1);
  }
}

TEST_CASE_METHOD(fetch_lab, "a server that is troubled is asked for the sum again, and the trouble names the URL") {
  int asked = 0;
  web.special = [&](const std::string& request) -> std::string {
    if (request.find("GET /disk.img.sha256?sig=secret HTTP") == request.npos)
      return "";
    return ++asked < 3 ? web.answer("503 Busy", "") : web.answer("200 OK", sum_of(web.body) + "  ./disk.img\n");
  };
  get(web.url("/disk.img?sig=secret"));
  CHECK(asked == 3);
  asked = -100;
  limits.tries = 2;
  CHECK_THROWS_WITH(get(web.url("/disk.img?sig=secret")),
                    web.url("/disk.img.sha256: unexpected http response code: 503, 2 times"));
}

TEST_CASE_METHOD(fetch_lab, "no address of this host is connected to unless it is allowed, by redirects neither") {
  reading.nets = {};
  for (const std::string host :
       {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1"}) {
    INFO(host);
    CHECK_THROWS_WITH(get("http://" + host + web.url().substr(16)), Contains("--allow-net"));
  }
  CHECK(web.requests().empty());
  web_source near;
  near.redirect = web.url();
  reading.nets = {"127.0.0.1"};
  near.redirect = "http://127.0.0.2:1/x";
  CHECK_THROWS_WITH(get(near.url()), "127.0.0.2: its address is loopback, and in no network that --allow-net names");
}

TEST_CASE_METHOD(fetch_lab, "the image server may have any address, but may send nobody to another") {
  reading.nets = {};
  reading.server = web.url("/");
  get(web.url());
  CHECK(content == web.body);
  web_source other;
  other.body = "secret";
  web.redirect = other.url();
  CHECK_THROWS_WITH(get(web.url()), Contains("its address is loopback"));
  CHECK(other.requests().empty());
  CHECK_THROWS_WITH(get(other.url()), Contains("its address is loopback"));
}

TEST_CASE_METHOD(fetch_lab, "a proxy of the environment is no way around") {
  ::setenv("http_proxy", web.url("").c_str(), 1);
  ::setenv("all_proxy", web.url("").c_str(), 1);
  limits.tries = 1;
  CHECK_THROWS(get("http://nowhere.invalid/x", sum_of("x")));
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  CHECK(web.requests().empty());
}

TEST_CASE_METHOD(fetch_lab, "a password goes to the host that it is for, and into no message") {
  web.special = [&](const std::string& request) {
    return request.find("Authorization: Basic dTpzZWNyZXQ=") == request.npos ? web.answer("401 No", "") : "";
  };
  const auto with_password = "http://u:secret@" + web.url().substr(7);
  get(with_password);
  CHECK(content == web.body);
  CHECK_THROWS_WITH(get(with_password + "?sig=secret", std::string(64, '0')),
                    !Contains("secret") && Contains(web.url()));
  web_source elsewhere;
  elsewhere.body = text(1000);
  web_source moved;
  moved.redirect = elsewhere.url();
  get("http://u:secret@" + moved.url().substr(7));
  CHECK_THAT(moved.requests()[0], Contains("Authorization"));
  CHECK_THAT(elsewhere.requests()[0], !Contains("Authorization"));
}

TEST_CASE_METHOD(fetch_lab, "what is no disk is refused before it is all read, and also behind a packing") {
  web.body = "<!DOCTYPE html><html>Sign in";
  web.body.append(300'000, 'x');
  CHECK_THROWS_WITH(get(web.url()), "the source is an HTML or XML page, and no raw or qcow2 disk");
  dir.write("disk.raw", text(300'000));
  web.body = run({"tar", "-cJf", "-", "-C", dir.path().string(), "disk.raw"});
  CHECK_THROWS_WITH(get(web.url()), Contains("a tar archive"));
  web.body = "QFI\xfb";
  CHECK_THROWS_WITH(get(web.url()), Contains("qcow2"));
}

TEST_CASE_METHOD(fetch_lab, "an image is looked for in a second place where the first has none, or a page") {
  also = web.url("/also");
  const auto first_is = [&](const std::string& answer) {
    web.special = [answer](const std::string& request) {
      return request.find("GET /first") == request.npos ? "" : answer;
    };
    get(web.url("/first"));
    CHECK(content == web.body);
  };
  first_is(web.answer("404 Not Found", ""));
  first_is(web.answer("200 OK", "<html>"));
  limits.tries = 1;
  CHECK_THROWS_WITH(first_is(web.answer("500 Trouble", "")), Contains("500"));
}
