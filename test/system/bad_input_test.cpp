#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i)
    text += open;
  text += "1";
  for (std::size_t i = 0; i < depth; ++i)
    text += close;
  return text;
}

} // namespace

TEST_CASE("a body that is no JSON is refused with the place where it ends to be") {
  const house h;
  for (const auto* body :
       {"", " ", "{", "}", "{\"memory\":}", "{\"memory\":1,}", "{'memory':1}", "{\"memory\":01}", "{\"memory\":1} 2",
        "{\"a\":\"\xc3\x28\"}", "{\"a\":\"\x01\"}", "nul", "\"", "[1,2", "{\"a\":NaN}", "// x\n{}"}) {
    INFO(body);
    const auto answer = h.http.post("/guests", body);
    CHECK(answer.status == 400);
    const auto message = error_message(answer);
    INFO(message);
    CHECK(message.find_first_of("0123456789") != std::string::npos);
  }
  CHECK(h.http.get("/guests").body == "[]\n");
}

TEST_CASE("a field of the wrong type is refused by name") {
  const house h;
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
         {R"({"memory":"much"})", "memory"},
         {R"({"memory":-1})", "memory"},
         {R"({"memory":1.5})", "memory"},
         {R"({"memory":18446744073709551616})", "memory"},
         {R"({"cpu":true})", "cpu"},
         {R"({"vnc":1.5})", "vnc"},
         {R"({"id":5})", "id"},
         {R"({"type":{}})", "type"},
         {R"({"nics":{}})", "nics"},
         {R"({"nics":[5]})", "nics"},
         {R"({"nics":[{"vlans":["a"]}]})", "vlans"},
         {R"({"nics":[{"mac":7}]})", "mac"},
         {R"({"disks":[{"size":-1}]})", "size"},
         {R"({"disks":"x"})", "disks"},
         {R"({"metadata":{"k":5}})", "k"},
         {R"({"metadata":[]})", "metadata"},
       }) {
    INFO(body);
    const auto answer = h.http.post("/guests", body);
    CHECK(answer.status == 400);
    CHECK(error_message(answer).find(field) != std::string::npos);
  }
  for (const auto* body : {"[]", "\"x\"", "5", "true"})
    CHECK(h.http.post("/guests", body).status == 400);
  CHECK(h.http.post("/images", R"({"id":5})").status == 400);
  CHECK(h.sub.calls().empty());
  CHECK(h.http.get("/guests").body == "[]\n");
}

TEST_CASE("null leaves a field at its zero, and the content type does not matter") {
  const house h;
  const auto answer = h.http.send("POST", "/guests", R"({"memory":null,"nics":null,"disks":null,"metadata":null})",
                                  {"Content-Type: application/x-www-form-urlencoded"});
  CHECK(answer.status == 202);
  const auto labelled = h.http.post("/guests", R"({"name":null,"labels":{"team":"a","old":null},"power":null})");
  CHECK(labelled.status == 202);
  CHECK(at(labelled.body, "labels") == R"({"team":"a"})");
}

TEST_CASE("deep nesting is refused and harms nothing") {
  const house h;
  for (const auto& [open, close] : {std::pair{"[", "]"}, {"{\"a\":", "}"}})
    for (const std::size_t depth : {1'000U, 100'000U}) {
      const auto deep = nested(depth, open, close);
      CHECK(h.http.post("/guests", deep).status == 400);
      CHECK(h.http.post("/guests", R"({"unknown":)" + deep + "}").status == 400);
      CHECK(h.http.patch("/metadata", deep).status == 400);
    }
  CHECK(h.http.post("/guests", R"({"unknown":)" + nested(20, "[", "]") + "}").status == 202);
}

TEST_CASE("a body over the limit is refused, counted or in chunks") {
  house h{[](config_file& c) { c.top["limits"] = R"({"metadata_bytes":1000000})"; }};
  const std::string padding(1024U * 1024, 'x');
  const auto body = R"({"a":")" + padding + R"("})";
  const auto answer = h.http.patch("/metadata", body);
  CHECK(answer.status == 413);
  CHECK_FALSE(error_message(answer).empty());
  std::string chunked =
    "PATCH /metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  chunked += "100000\r\n" + padding + "\r\n100000\r\n" + padding + "\r\n0\r\n\r\n";
  CHECK(h.http.send_raw(chunked).status == 413);
  CHECK(h.http.get("/metadata").body == "{}\n");
  CHECK(h.http.patch("/metadata", R"({"a":")" + std::string(900'000, 'x') + R"("})").status == 200);
  CHECK(h.healthy());
}

TEST_CASE("a route that takes a few words refuses a large body, counted or in chunks") {
  house h;
  const auto path = "/guests/" + h.create_guest() + "/state";
  const auto body = [](std::size_t size) {
    const std::string begin = R"({"state":"running","x":")", end = R"("})";
    return begin + std::string(size - begin.size() - end.size(), 'x') + end;
  };
  constexpr std::size_t most = 64 * 1024;
  CHECK(h.http.put(path, body(most)).status == 200);
  const auto refused = h.http.put(path, body(most + 1));
  CHECK(refused.status == 413);
  CHECK(error_message(refused) == "the body is longer than 65536 bytes");
  const auto in_chunks = [&](const std::string& size, const std::string& text) {
    return h.http.send_raw("PUT " + path +
                           " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
                           size + "\r\n" + text + "\r\n0\r\n\r\n");
  };
  CHECK(in_chunks("10000", body(most)).status == 200);
  CHECK(in_chunks("10001", body(most + 1)).status == 413);
}

TEST_CASE("the config sets the limit of a body") {
  const house h{[](config_file& c) { c.top["http"] = R"({"max_body":100})"; }};
  CHECK(h.http.patch("/metadata", R"({"a":"b"})").status == 200);
  CHECK(h.http.patch("/metadata", R"({"a":")" + std::string(100, 'x') + R"("})").status == 413);
}

TEST_CASE("a body in chunks is as good as one with a length") {
  const house h;
  const auto answer = h.http.send_raw("PATCH /metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                      "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n4\r\n\"b\"}\r\n0\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.body == "{\"a\":\"b\"}\n");
}

TEST_CASE("bytes that are no request are refused, and the agent goes on") {
  house h;
  for (const auto* bytes : {"hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
                            "POST /guests HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
                            "POST /guests HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                            "GET /guests HTTP/1.1\r\nHost: localhost\r\nbroken header\r\n\r\n"}) {
    INFO(bytes);
    const auto status = h.http.send_raw(bytes).status;
    CHECK((status == 0 || (status >= 400 && status < 600)));
  }
  const auto endless_head = "GET /guests HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(1'000'000, 'x') + "\r\n\r\n";
  const auto status = h.http.send_raw(endless_head).status;
  CHECK((status == 0 || status == 431 || status == 400));
  CHECK(h.healthy());
}

TEST_CASE("odd ids in a path find nothing and break nothing") {
  house h;
  for (const auto* id : {"..", "%2e%2e", "%2f", "a%00b", "%ff%fe", "'%3b%20drop%20table%20guests", "%zz"})
    for (const auto* path : {"/guests/", "/jobs/"}) {
      INFO(path << id);
      const auto status = h.http.get(std::string{path} + id).status;
      CHECK((status == 404 || status == 400));
    }
  CHECK(h.http.get("/guests/" + std::string(5'000, 'x')).status == 404);
  CHECK(h.healthy());
}
