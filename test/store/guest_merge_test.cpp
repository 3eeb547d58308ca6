#include "test/store/fixture.hpp"

#include "rpc/model/codec.hpp"
#include "store/guest_merge.hpp"

using namespace mistify;
using namespace mistify::store;
using map = rpc::metadata_map;

TEST_CASE("what a stage did to metadata stands where clients did nothing") {
  CHECK(merge_metadata({{"a", "stage"}, {"new", "1"}}, {{"a", "1"}, {"gone", "1"}}, {{"a", "1"}, {"gone", "1"}}) ==
        map{{"a", "stage"}, {"new", "1"}});
}

TEST_CASE("a key that a client set or changed is as the client left it") {
  CHECK(merge_metadata({{"a", "1"}}, {{"a", "1"}}, {{"a", "client"}, {"b", "client"}}) ==
        map{{"a", "client"}, {"b", "client"}});
}

TEST_CASE("a key that a client deleted stays deleted") {
  CHECK(merge_metadata({{"a", "1"}, {"b", "1"}}, {{"a", "1"}, {"b", "1"}}, {{"b", "1"}}) == map{{"b", "1"}});
}

TEST_CASE("where both changed a key the client wins") {
  CHECK(merge_metadata({{"a", "stage"}}, {{"a", "1"}}, {{"a", "client"}}) == map{{"a", "client"}});
  CHECK(merge_metadata({{"a", "stage"}}, {{"a", "1"}}, {}).empty());
  CHECK(merge_metadata({}, {{"a", "1"}}, {{"a", "client"}}) == map{{"a", "client"}});
}

TEST_CASE("a stage that returns no metadata deletes it, except what clients changed") {
  CHECK(merge_metadata({}, {{"a", "1"}, {"b", "1"}}, {{"a", "1"}, {"b", "2"}}) == map{{"b", "2"}});
}

TEST_CASE("a returned guest replaces all but the metadata that clients changed") {
  stored_guest stored{"g", "container", R"({"id":"g","state":"old","metadata":{"k":"client"}})"};
  rpc::guest returned;
  returned.id = "g";
  returned.type = "kvm";
  returned.state = "running";
  returned.metadata = {{"k", "stage"}, {"s", "stage"}};
  auto merged = merge_guest(stored, R"({"id":"g","state":"old"})", returned);
  CHECK(merged->type == "kvm");
  CHECK(merged->doc == R"({"id":"g","type":"kvm","state":"running","metadata":{"k":"client","s":"stage"}})");
  CHECK(merge_guest(stored, stored.doc, returned)->doc == rpc::encode(returned));
}

TEST_CASE("a guest that a stage returns as it is stored keeps its text and what was read from it") {
  stored_guest stored{"g", "", R"({ "id":"g", "name":"web", "metadata":{"k":"v"} })"};
  stored.facts.name = "web";
  const auto merged = merge_guest(stored, stored.doc, rpc::decode_guest(stored.doc));
  CHECK(merged->doc == stored.doc);
  CHECK(merged->facts.name == "web");
}

TEST_CASE("no stage says that a guest was adopted, or that it was not") {
  const stored_guest plain{"g", "", R"({"id":"g"})"}, adopted{"g", "", R"({"id":"g","adopted":true})"};
  rpc::guest returned;
  returned.id = "g";
  CHECK(rpc::decode_guest(merge_guest(adopted, adopted.doc, returned)->doc).extra.at("adopted") == "true");
  returned.extra["adopted"] = "true";
  CHECK_FALSE(rpc::decode_guest(merge_guest(plain, plain.doc, returned)->doc).extra.contains("adopted"));
}

TEST_CASE("a stage may not return another guest") {
  stored_guest stored{"g", "", R"({"id":"g"})"};
  for (std::string id : {"", "other"}) {
    rpc::guest returned;
    returned.id = id;
    CHECK(failure_of([&] { merge_guest(stored, stored.doc, returned); }).code() == rpc::errc::sub_agent_failed);
  }
}

TEST_CASE("a stage may not return a known name in another case, but what is stored so may come back") {
  const auto returned = rpc::decode_guest(R"({"id":"g","nics":[{"Model":"x"}]})");
  const stored_guest plain{"g", "", R"({"id":"g"})"};
  const auto refused = failure_of([&] { merge_guest(plain, plain.doc, returned); });
  CHECK(refused.code() == rpc::errc::sub_agent_failed);
  CHECK(refused.message() == "the sub-agent returned a guest with nics[0].Model in place of model");
  const stored_guest old{"g", "", R"({"id":"g","nics":[{"Model":"x"}]})"};
  CHECK(rpc::decode_guest(merge_guest(old, old.doc, returned)->doc) == returned);
}

TEST_CASE("an unknown member that a client changed while a stage ran is as the client left it") {
  const stored_guest stored{"g", "", R"({"id":"g","rack":{"row":2},"new":1,"kept":1})"};
  const auto echo = rpc::decode_guest(R"({"id":"g","rack":{"row":1},"gone":true,"kept":2,"made":[]})");
  const auto merged = merge_guest(stored, R"({"id":"g","rack":{"row":1},"gone":true,"kept":1})", echo);
  const auto now = rpc::decode_guest(merged->doc);
  CHECK(now.extra == rpc::unknown_fields{{"rack", R"({"row":2})"}, {"new", "1"}, {"kept", "2"}, {"made", "[]"}});
}

TEST_CASE("no stage changes or removes the power member of a guest") {
  const stored_guest stored{"g", "", R"({"id":"g","power":{"boot":"on"}})"};
  for (const std::string echo : {R"({"id":"g"})", R"({"id":"g","power":{"boot":"off"}})"})
    CHECK(rpc::decode_guest(merge_guest(stored, stored.doc, rpc::decode_guest(echo))->doc).extra.at("power") ==
          R"({"boot":"on"})");
}

TEST_CASE("a returned state is bounded as its reason is, and has no control characters") {
  const stored_guest stored{"g", "kvm", R"({"id":"g","state":"running"})"};
  const auto merged = [&](const std::string& state, const std::string& reason) {
    rpc::guest returned;
    returned.id = "g";
    returned.state = state;
    returned.state_reason = reason;
    return rpc::decode_guest(merge_guest(stored, stored.doc, returned)->doc);
  };
  const auto odd = merged("shut\r\noff\x1b[2J\xc2\x9b\x7f", "us\ter");
  CHECK(odd.state == "shutoff[2J");
  CHECK(odd.state_reason == "user");
  const auto long_one = merged(std::string(5000, 's'), std::string(5000, 'r'));
  CHECK_THAT(long_one.state, Catch::StartsWith("sss") && Catch::EndsWith("…"));
  CHECK(long_one.state.size() <= 64);
  CHECK(long_one.state_reason.size() <= 64);
  CHECK(merged("\xc3\xa4hnlich", "").state == "\xc3\xa4hnlich");
}

TEST_CASE("a reason that was sent stays with a guest that was off and still is, and with no other state") {
  const auto merged = [](const std::string& before, const std::string& after) {
    const stored_guest stored{"g", "kvm", R"({"id":"g","state":")" + before + R"(","state_reason":"panic"})"};
    rpc::guest returned;
    returned.id = "g";
    returned.state = after;
    returned.state_reason = "panic";
    return rpc::decode_guest(merge_guest(stored, stored.doc, returned)->doc).state_reason;
  };
  CHECK(merged("crashed", "shutoff") == "panic");
  CHECK(merged("crashed", "running").empty());
  CHECK(merged("paused", "shutoff").empty());
}
