#include "rpc/base/error.hpp"
#include "rpc/model/codec.hpp"
#include "store/guest_scan.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace mistify;
using store::scan_guest;

namespace {

/// As the agent stores it, with all that most guests have.
std::string usual_doc() {
  rpc::guest made;
  made.id = "00000000-0000-4000-8000-000000000001";
  made.state = "running";
  made.wanted = "on";
  made.memory = 512, made.cpu = 2, made.vnc = 5901;
  made.extra = {{"name", R"("web-1")"}, {"labels", R"({"tier":"web","zone":"b"})"}, {"power", R"({"boot":"on"})"}};
  made.metadata = {{"owner", "bench"}};
  for (const auto* mac : {"52:54:00:00:00:01", "52:54:0:AA:0:1", ""}) {
    auto& lan = made.nics.emplace_back();
    lan.network = "lan", lan.mac = mac;
  }
  made.nics.back().vlans = std::vector<std::int64_t>{3, 4094};
  for (const std::uint64_t size : {1024, 20})
    made.disks.emplace_back().size = size;
  return rpc::encode(made);
}

/// What the scan returns is what decoding does.
void check_against_codec(const std::string& doc) {
  const auto scanned = scan_guest(doc);
  if (!scanned)
    return;
  INFO(doc);
  rpc::guest guest;
  REQUIRE_NOTHROW(guest = rpc::decode_guest(doc));
  const auto facts = store::facts_of(guest);
  CHECK(scanned->id == guest.id);
  CHECK(scanned->type == guest.type);
  CHECK(scanned->wanted == guest.wanted);
  CHECK(scanned->facts.state == facts.state);
  CHECK(scanned->facts.name == facts.name);
  CHECK(scanned->facts.memory == facts.memory);
  CHECK(scanned->facts.cpu == facts.cpu);
  CHECK(scanned->facts.disk == facts.disk);
  CHECK(scanned->facts.vnc == facts.vnc);
  CHECK(scanned->facts.macs == facts.macs);
  CHECK(scanned->facts.labels == facts.labels);
}

} // namespace

TEST_CASE("a document as the codec writes it is scanned, and means the same") {
  const auto doc = usual_doc();
  REQUIRE(scan_guest(doc));
  check_against_codec(doc);
  CHECK(scan_guest(doc)->facts.macs == std::vector<std::string>{"52:54:00:00:00:01", "52:54:00:aa:00:01"});
  CHECK(scan_guest(doc)->facts.disk == 1044);
  CHECK(scan_guest(R"({"id":"a"})"));
  CHECK(scan_guest("{}"));
}

TEST_CASE("a document that is unusual or no guest is left to the codec") {
  for (const auto* doc : {
         "",
         "null",
         "[]",
         "{",
         R"({"id":"a"} )",
         R"({"id": "a"})",
         R"({"id":"a"}{})",
         R"({"id":"a",})",
         R"({"id":null})",
         R"({"id":7})",
         R"({"id":"a","id":"b"})",
         R"({"id":"a","state":"\u0061"})",
         "{\"id\":\"\xc3\xa4\"}",
         "{\"id\":\"\x7f\"}",
         "{\"id\":\"a\n\"}",
         R"({"memory":-1})",
         R"({"memory":-0})",
         R"({"memory":01})",
         R"({"memory":1.0})",
         R"({"memory":1e3})",
         R"({"memory":1000000000000000})",
         R"({"memory":"1"})",
         R"({"memory":})",
         R"({"vnc":-})",
         R"({"nics":{}})",
         R"({"nics":null})",
         R"({"nics":[{"mac":"a","mac":"b"}]})",
         R"({"nics":[{"mac":null}]})",
         R"({"nics":[{"vlans":[null]}]})",
         R"({"disks":[{"size":1,"size":2}]})",
         R"({"disks":[7]})",
         R"({"metadata":{"a":1}})",
         R"({"name":7})",
         R"({"name":null})",
         R"({"labels":[]})",
         R"({"labels":{"a":7}})",
         R"({"adopted":true})",
         R"({"x":tru})",
         R"({"x":[[[[[[[[[[1]]]]]]]]]]})",
       }) {
    INFO(doc);
    CHECK_FALSE(scan_guest(doc));
  }
  std::string many = R"({"id":"a")";
  for (int i = 0; i < 40; ++i)
    many += ",\"x" + std::to_string(i) + "\":1";
  CHECK_FALSE(scan_guest(many += '}'));
}

TEST_CASE("whatever a document is changed into, the scan agrees with the codec or is silent") {
  std::mt19937 random{7}; // NOLINT(cert-msc51-cpp): the same each time
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::vector<std::string> pieces{"null",
                                        "{}",
                                        "[]",
                                        "0",
                                        "-1",
                                        "1.5",
                                        "\"",
                                        ",",
                                        ":",
                                        "\"x\"",
                                        "\"mac\":\"A\"",
                                        "\"size\"",
                                        "\"name\"",
                                        "\\u0041",
                                        "e9",
                                        "{",
                                        "}",
                                        "[1,2,3]",
                                        "\"id\":\"b\",",
                                        "\"type\"",
                                        "true",
                                        "\x80",
                                        "\x01",
                                        "\"labels\""};
  const auto doc = usual_doc();
  std::size_t scanned = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto changed = doc;
    for (auto changes = 1 + below(2); changes > 0; --changes) {
      const auto at = below(changed.size());
      switch (below(3)) {
      case 0: changed.erase(at, 1 + below(12)); break;
      case 1: changed.insert(at, pieces[below(pieces.size())]); break;
      default: changed[at] = static_cast<char>(' ' + below(95));
      }
    }
    scanned += scan_guest(changed).has_value() ? 1 : 0;
    check_against_codec(changed);
  }
  CHECK(scanned > 2'000); // else the test would show nothing
}
