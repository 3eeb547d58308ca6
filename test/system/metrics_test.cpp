#include "house.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;

namespace {

script metrics(const std::string& member) {
  return [=](const call& c) {
    return result(c,
                  R"({"guest":)" + at(c.params, "guest") + R"(,"type":)" + at(c.params, "type") + "," + member + "}");
  };
}

} // namespace

TEST_CASE("cpu metrics are an array") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.CpuMetrics", metrics(R"("cpu":[{"cpu_time":1.5,"vcpu_time":0.25},{"cpu_time":2,"vcpu_time":0}])"));
  const auto answer = h.http.get("/guests/" + id + "/metrics/cpu");
  CHECK(answer.status == 200);
  CHECK(answer.job().empty());
  REQUIRE(count(answer.body) == 2);
  CHECK(std::stod(at(answer.body, "0/cpu_time")) == 1.5);
  CHECK(std::stod(at(answer.body, "0/vcpu_time")) == 0.25);
}

TEST_CASE("disk and nic metrics are objects by name, with 64-bit numbers") {
  house h;
  const auto id = h.create_guest();
  h.sub.on(
    "Test.DiskMetrics",
    metrics(R"("disk":{"vdb":{"disk":"vdb","read_ops":1,"read_bytes":9223372036854775807,"read_time":0.5,)"
            R"("write_ops":2,"write_bytes":3,"write_time":1,"flush_ops":4,"flush_time":2},"vda":{"disk":"vda"}})"));
  h.sub.on("Test.NicMetrics",
           metrics(R"("nic":{"eth0":{"name":"eth0","rx_bytes":9007199254740993,"rx_packets":1,"rx_errors":2,)"
                   R"("rx_drops":3,"tx_bytes":4,"tx_packets":5,"tx_errors":6,"tx_drops":7}})"));
  const auto disk = h.http.get("/guests/" + id + "/metrics/disk");
  CHECK(disk.status == 200);
  CHECK(at(disk.body, "vdb/read_bytes") == "9223372036854775807");
  CHECK(at(disk.body, "vdb/flush_ops") == "4");
  CHECK(text_at(disk.body, "vda/disk") == "vda");
  CHECK(disk.body.find("\"vda\":{") < disk.body.find("\"vdb\":{"));
  const auto nic = h.http.get("/guests/" + id + "/metrics/nic");
  CHECK(nic.status == 200);
  CHECK(at(nic.body, "eth0/rx_bytes") == "9007199254740993");
  CHECK(at(nic.body, "eth0/tx_drops") == "7");
}

TEST_CASE("the sub-agent is asked with the guest and the type") {
  house h{[](config_file& c) {
    c.stages("nicMetrics", R"({"service":"test","method":"Test.NicMetrics","args":{"a":"b"}})");
  }};
  const auto id = h.create_guest(R"("memory":512)");
  h.sub.on("Test.NicMetrics", metrics(R"("nic":{})"));
  CHECK(h.http.get("/guests/" + id + "/metrics/nic").body == "{}\n");
  const auto sent = h.sub.calls("Test.NicMetrics").at(0);
  CHECK(text_at(sent.params, "guest/id") == id);
  CHECK(at(sent.params, "guest/memory") == "512");
  CHECK(text_at(sent.params, "type").find("nic") != std::string::npos);
  CHECK(at(sent.params, "args") == R"({"a":"b"})");
  CHECK(at(sent.params, "action") == "(absent)");
}

TEST_CASE("metrics that a sub-agent leaves out are empty, not null") {
  house h;
  const auto guest = "/guests/" + h.create_guest();
  CHECK(h.http.get(guest + "/metrics/cpu").body == "[]\n");
  CHECK(h.http.get(guest + "/metrics/disk").body == "{}\n");
  CHECK(h.http.get(guest + "/metrics/nic").body == "{}\n");
}

TEST_CASE("metrics that are not configured are not found, and others are no route") {
  house h{[](config_file& c) { c.actions.erase("cpuMetrics"); }};
  const auto guest = "/guests/" + h.create_guest();
  const auto answer = h.http.get(guest + "/metrics/cpu");
  CHECK(answer.status == 404);
  CHECK(error_message(answer) == "cpuMetrics: Not configured");
  CHECK(h.http.get(guest + "/metrics/gpu").status == 404);
  CHECK(h.http.get(guest + "/metrics").status == 404);
}

TEST_CASE("a sub-agent that fails to give metrics is a bad gateway, and the guest stays as it is") {
  house h;
  const auto id = h.create_guest(R"("memory":512)");
  const auto before = h.http.get("/guests/" + id).body;
  h.sub.on("Test.CpuMetrics", [](const call& c) { return rpc_error(c, R"("domain is not running")"); });
  h.sub.on("Test.DiskMetrics", [](const call& c) { return result(c, R"({"disk":{"vda":{"read_ops":"many"}}})"); });
  h.sub.on("Test.NicMetrics", [](const call&) { return raw_reply(""); });
  const auto cpu = h.http.get("/guests/" + id + "/metrics/cpu");
  CHECK(cpu.status == 502);
  CHECK(error_message(cpu).find("domain is not running") != std::string::npos);
  for (const auto* kind : {"disk", "nic"}) {
    const auto answer = h.http.get("/guests/" + id + "/metrics/" + kind);
    CHECK(answer.status == 502);
    CHECK_FALSE(error_message(answer).empty());
  }
  CHECK(h.http.get("/guests/" + id).body == before);
  CHECK(h.healthy());
}

TEST_CASE("metrics of a container come from its own actions where they are configured, else from those of all guests") {
  house h{[](config_file& c) {
    c.stages("containerCpuMetrics", R"({"service":"test","method":"Own.CpuMetrics"})");
    c.actions.erase("containerNicMetrics");
  }};
  const auto machine = h.create_guest(), container = h.create_guest(R"("type":"container")");
  h.sub.on("Own.CpuMetrics", metrics(R"("cpu":[{"cpu_time":7,"vcpu_time":7}])"));
  h.sub.on("Test.CpuMetrics", metrics(R"("cpu":[])"));
  h.sub.on("Test.NicMetrics", metrics(R"("nic":{})"));
  CHECK(count(h.http.get("/guests/" + container + "/metrics/cpu").body) == 1);
  CHECK(count(h.http.get("/guests/" + machine + "/metrics/cpu").body) == 0);
  CHECK(h.http.get("/guests/" + container + "/metrics/nic").status == 200);
  CHECK(text_at(h.sub.calls("Own.CpuMetrics").at(0).params, "type") ==
        text_at(h.sub.calls("Test.CpuMetrics").at(0).params, "type"));
  CHECK(h.sub.calls("Own.CpuMetrics").size() == 1);
}
