#include "rpc/agents/libvirt/guest_text.hpp"
#include "test/libvirt/guest_parts.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using agents::expect_plain_text;

namespace {

rpc::guest with_nic(const std::string& json) {
  rpc::guest g;
  g.nics = test::nics("[" + json + "]");
  return g;
}

} // namespace

TEST_CASE("control characters are refused in all that becomes part of a machine") {
  rpc::guest g;
  g.disks.resize(1);
  g.nics.resize(1);
  g.metadata = {{"boot.cmdline", ""}, {"owner", "a\nb"}};
  CHECK_NOTHROW(expect_plain_text(g));
  for (auto* field :
       {&g.disks[0].bus, &g.disks[0].device, &g.disks[0].source, &g.disks[0].volume, &g.nics[0].name,
        &g.nics[0].network, &g.nics[0].model, &g.nics[0].mac, &g.nics[0].device, &g.metadata["boot.cmdline"]})
    for (const auto* text : {"a\nb", "\x01", "a\x7f", "\t"}) {
      *field = text;
      CHECK_THROWS_WITH(expect_plain_text(g), Catch::EndsWith(": has control characters"));
      field->clear();
    }
}

TEST_CASE("networks, models and devices of nics are names") {
  for (const auto* good :
       {R"({"network":"br0"})", R"({"network":"Büro Nord","model":"virtio-net"})", R"({"device":"vnet0.1"})"})
    CHECK_NOTHROW(expect_plain_text(with_nic(good)));
  for (const auto* bad : {R"({"network":" "})", R"({"network":"a/b"})", R"({"network":".."})", R"({"network":"-x"})",
                          R"({"model":"virtio,hostfwd=x"})", R"({"model":"a b"})", R"({"device":"a/b"})",
                          R"({"device":"longer-than-fifteen"})"})
    CHECK_THROWS_AS(expect_plain_text(with_nic(bad)), std::invalid_argument);
}

TEST_CASE("two nics of one name are refused") {
  CHECK_THROWS_WITH(expect_plain_text(with_nic(R"({"name":"a"},{"name":"b"},{"name":"a"})")),
                    "nics[2].name: another nic has this name");
}
