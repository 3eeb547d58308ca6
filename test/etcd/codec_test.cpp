#include "rpc/base/error.hpp"
#include "rpc/etcd/base64.hpp"
#include "rpc/etcd/v2_codec.hpp"
#include "rpc/etcd/v3_codec.hpp"

#include <catch2/catch.hpp>

using namespace mistify::rpc;
using namespace mistify::rpc::etcd;

TEST_CASE("base64 carries any bytes and refuses what is none") {
  CHECK(to_base64("") == "");
  CHECK(to_base64("f") == "Zg==");
  CHECK(to_base64("fo") == "Zm8=");
  CHECK(to_base64("foo") == "Zm9v");
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  CHECK(from_base64(to_base64(all)) == all);
  for (const auto* bad : {"Zg=", "Zg", "Z===", "====", "Zm9v!Zg=", "Zm=v", "Z g="})
    CHECK_FALSE(from_base64(bad));
}

TEST_CASE("the end of a prefix's range is the next key that has it not") {
  CHECK(v3::end_of("/a/") == "/a0");
  CHECK(v3::end_of("a\xff") == "b");
  CHECK(v3::end_of("\xff") == std::string(1, '\0'));
}

TEST_CASE("a transaction compares what is expected and writes the rest as it is") {
  const change all[] = {{"a", "1", 0, true}, {"b", std::nullopt, 7, false}, {"c", "", std::nullopt, false}};
  CHECK(
    v3::transaction(all, 5) ==
    R"({"compare":[{"key":"YQ==","target":"MOD","mod_revision":"0"},{"key":"Yg==","target":"MOD","mod_revision":"7"}],)"
    R"("success":[{"request_put":{"key":"YQ==","value":"MQ==","lease":"5"}},{"request_delete_range":{"key":"Yg=="}},)"
    R"({"request_put":{"key":"Yw==","value":""}}]})");
}

TEST_CASE("absent members of etcd's answers are false, 0 or empty") {
  const auto none = v3::read_range("{}");
  CHECK(none.entries.empty());
  CHECK_FALSE(none.more);
  const auto one =
    v3::read_range(R"({"header":{"revision":"9"},"kvs":[{"key":"YQ==","mod_revision":"4"}],"more":true})");
  REQUIRE(one.entries.size() == 1);
  CHECK(one.revision == 9);
  CHECK(one.entries[0].key == "a");
  CHECK(one.entries[0].value == "");
  CHECK(one.entries[0].lease == 0);
  CHECK(one.more);
  CHECK(v3::read_number(R"({"result":{"ID":"77"}})", "TTL") == 0);
}

TEST_CASE("answers that are not etcd's are refused, whatever they are") {
  for (const auto* bad : {"", "<html>", "[]]", R"({"kvs":7})", R"({"kvs":[{"key":"!"}]})", R"({"kvs":[{"key":5}]})",
                          R"({"kvs":[{"mod_revision":"x"}]})", R"({"more":"yes"})",
                          R"({"kvs":[{"mod_revision":"99999999999999999999"}]})"}) {
    INFO(bad);
    try {
      v3::read_range(bad);
      FAIL("accepted");
    } catch (const failure& e) {
      CHECK(e.code() == errc::sub_agent_failed);
    }
  }
  CHECK_THROWS_AS(v2::read_entries("{}"), failure);
  CHECK_THROWS_AS(v2::read_entries(R"({"node":{"dir":"x"}})"), failure);
}

TEST_CASE("a watch line is events, an end, or a compaction") {
  news got;
  v3::read_watch_line(R"({"result":{"created":true}})", got);
  CHECK(got.events.empty());
  v3::read_watch_line(
    R"({"result":{"events":[{"type":"DELETE","kv":{"key":"YQ==","mod_revision":"4"}},{"kv":{"key":"Yg==","value":"MQ==","lease":"3"}}]}})",
    got);
  REQUIRE(got.events.size() == 2);
  CHECK(got.events[0].removed);
  CHECK(got.events[1].what.lease == 3);
  CHECK(got.state == news::condition::fine);
  v3::read_watch_line(R"({"result":{"canceled":true,"compact_revision":"7"}})", got);
  CHECK(got.state == news::condition::compacted);
  news lost;
  v3::read_watch_line(R"({"error":{"grpc_code":16,"http_code":401,"message":"etcdserver: invalid auth token"}})", lost);
  CHECK(lost.state == news::condition::lost);
  CHECK(lost.why == "etcdserver: invalid auth token");
}

TEST_CASE("v2 folders are read flat, and events of whole folders are known as such") {
  const auto all = v2::read_entries(
    R"({"action":"get","node":{"key":"/l","dir":true,"nodes":[{"key":"/l/h","dir":true,"nodes":[{"key":"/l/h/x","value":"1","ttl":20,"modifiedIndex":4}]},{"key":"/l/e","dir":true}]}})");
  REQUIRE(all.size() == 1);
  CHECK(all[0].key == "/l/h/x");
  CHECK(all[0].lease == 20);
  CHECK(all[0].revision == 4);
  CHECK(v2::read_event(R"({"action":"delete","node":{"key":"/l","dir":true,"modifiedIndex":9}})").whole_folder);
  CHECK(v2::read_event(R"({"action":"expire","node":{"key":"/l/x","modifiedIndex":9}})").what.removed);
  CHECK(v2::escape("/a b/ü", true) == "/a%20b/%C3%BC");
  CHECK(v2::escape("{\"a\"}") == "%7B%22a%22%7D");
}
