#include "actors/config/config.hpp"
#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::actors;
using Catch::Contains;

namespace {

const std::string id = "11111111-1111-4111-8111-11111111111a";

config parse(const std::string& members) {
  return parse_config({{"a.json", "{\"cluster\":{" + members + "}}"}});
}

std::string refusal(const std::string& members) {
  try {
    parse(members);
  } catch (const rpc::failure& e) {
    CHECK(e.code() == rpc::errc::config_invalid);
    CHECK(e.message().find('\n') == std::string::npos);
    return e.message();
  }
  return {};
}

std::string with(const std::string& more) {
  return R"("etcd":["http://127.0.0.1:2379"],"ip":"10.0.0.5","id":")" + id + "\"," + more;
}

} // namespace

TEST_CASE("a cluster needs where etcd is and the host's address; the rest has defaults") {
  const auto made = parse(
    R"("etcd":["https://a.example:2379/","http://[::1]:2379","http://b"],"ip":"10.0.0.5","id":"11111111-1111-4111-8111-11111111111A")");
  REQUIRE(made.cluster);
  CHECK(made.cluster->etcd == std::vector<std::string>{"https://a.example:2379", "http://[::1]:2379", "http://b"});
  CHECK(made.cluster->prefix == "/lochness");
  CHECK(made.cluster->id == id);
  CHECK(made.cluster->ttl == std::chrono::seconds{120});
  CHECK_FALSE(made.cluster->v2);
  CHECK(parse(with(R"("api":"v2")")).cluster->v2);
  CHECK_FALSE(parse_config({{"a.json", "{}"}}).cluster);
}

TEST_CASE("a cluster that cannot be meant so is refused by the name of its member") {
  const std::string good = R"("ip":"10.0.0.5","id":")" + id + '"';
  CHECK_THAT(refusal(good), Contains("cluster.etcd"));
  CHECK_THAT(refusal(R"("etcd":[],)" + good), Contains("cluster.etcd"));
  for (const std::string url :
       {"",           "127.0.0.1:2379", "ftp://a",      "http://",    "http://a:0",  "http://a:70000",
        "http://a:x", "http://u:p@a:1", "http://@a",    "http://a:",  "HTTP://a",    "http://a/path",
        "http://a//", "http://a?x",     "http://a:1?x", "http://a b", "http://[::1", "http://[x]:1",
        "unix:/a",    "http://a\\n"})
    CHECK_THAT(refusal(R"("etcd":[")" + url + R"("],)" + good), Contains("cluster.etcd"));
  CHECK_THAT(refusal(R"("etcd":["http://a"],"id":")" + id + '"'), Contains("cluster.ip"));
  for (const std::string ip : {"", "x", "10.0.0", "0.0.0.0", "::1", "10.0.0.5/8"})
    CHECK_THAT(refusal(R"("etcd":["http://a"],"ip":")" + ip + R"(","id":")" + id + '"'), Contains("cluster.ip"));
  for (const std::string bad : {R"("ttl":4)", R"("ttl":86401)", R"("ttl":-5)", R"("ttl":"9")", R"("api":"v1")",
                                R"("api":3)", R"("ca":"/no/such/file")", R"("ca":"")", R"("user":"u")",
                                R"("password":"p")", R"("prefix":"x")", R"("prefix":"/")", R"("prefix":"/a/")",
                                R"("prefix":"/a//b")", R"("prefix":"/a b")", R"("id":"x")", R"("passwort":"p")"}) {
    INFO(bad);
    CHECK_THAT(refusal(with(bad)), Contains("cluster."));
  }
  CHECK_THAT(refusal(with(R"("user":"u","password":7)")), !Contains("7"));
}

TEST_CASE("two files cannot both say which cluster it is") {
  const auto text = "{\"cluster\":{" + with(R"("ttl":9)") + "}}";
  CHECK_THROWS_WITH(parse_config({{"a.json", text}, {"b.json", text}}), "b.json: cluster has already been defined");
}
