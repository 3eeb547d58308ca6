#include "rpc/model/messages.hpp"

#include <catch2/catch.hpp>

using namespace mistify::rpc;

namespace {

/// What a text reads as, written again.
template <class T>
std::string round_trip(std::string_view text) {
  T value{};
  const auto document = json::document::parse(text);
  decode(document.root(), value);
  return encode(value);
}

template <class T>
void same(std::string_view text) {
  CHECK(round_trip<T>(text) == text);
}

} // namespace

TEST_CASE("messages of sub-agents read and write as documented") {
  same<guest_request>(R"({"guest":{"id":"g","own":{"a":[1.0]}},"action":"reboot","args":{"k":"v"}})");
  same<guest_request>(R"({"guest":{"id":"g"},"action":"reboot"})");
  same<guest_response>(R"({"guest":{"id":"g"}})");
  same<guest_response>(R"({"guest":{"id":"g"},"message":"again","retry":5})");
  same<guest_metrics_request>(R"({"guest":{"id":"g"},"type":"cpu"})");
  same<guest_metrics_response>(R"({"guest":{"id":"g"},"type":"cpu","cpu":[{"cpu_time":1.5,"vcpu_time":2.5}]})");
  same<guest_metrics_response>(
    R"({"guest":{"id":"g"},"type":"nic","nic":{"net0":{"name":"net0","rx_bytes":1,"rx_packets":2,"rx_errors":3,)"
    R"("rx_drops":4,"tx_bytes":5,"tx_packets":6,"tx_errors":7,"tx_drops":8}}})");
  same<guest_metrics_response>(
    R"({"guest":{"id":"g"},"type":"disk","disk":{"vda":{"disk":"vda","read_ops":1,"read_bytes":2,"read_time":0.5,)"
    R"("write_ops":3,"write_bytes":4,"write_time":1.5,"flush_ops":5,"flush_time":2.5}}})");
  same<image_response>(R"({"images":[]})");
  same<image_response>(R"({"images":[{"id":"i","type":"kvm","size":5}]})");
  same<snapshot_response>(R"({"snapshots":[{"id":"guests/g@s","size":1}]})");
  same<volume_request>(R"({"id":"v","size":1})");
  same<volume>(R"({"id":"v","size":1,"device":"/dev/zvol/v"})");
  same<volume_response>(R"({"volumes":[{"id":"v","size":1,"device":"/dev/zvol/v"}]})");
}

TEST_CASE("what is left out or null in a message is empty") {
  CHECK(round_trip<guest_request>("{}") == R"({"guest":{"id":""},"action":""})");
  CHECK(round_trip<guest_request>(R"({"guest":null,"action":null,"args":null})") ==
        R"({"guest":{"id":""},"action":""})");
  CHECK(round_trip<snapshot_response>(R"({"snapshots":null})") == R"({"snapshots":[]})");
}

TEST_CASE("members of the wrong type are refused by name") {
  using Catch::Matchers::StartsWith;
  CHECK_THROWS_WITH(round_trip<guest_request>(R"({"action":7})"), StartsWith("action: "));
  CHECK_THROWS_WITH(round_trip<guest_request>(R"({"args":{"k":7}})"), StartsWith("args.k: "));
  CHECK_THROWS_WITH(round_trip<volume>(R"({"size":-1})"), StartsWith("size: "));
  CHECK_THROWS_WITH(round_trip<image_response>(R"({"images":{}})"), StartsWith("images: "));
  CHECK_THROWS_AS(round_trip<guest_request>("[]"), failure);
}
