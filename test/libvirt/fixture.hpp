#pragma once

#include "rpc/agents/libvirt/libvirt_agent.hpp"
#include "test/libvirt/guest_parts.hpp"
#include "test/rpc/agent_calls.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>
#include <unistd.h>

namespace mistify::test {

/// The libvirt sub-agent on libvirt's test driver, and a connection of somebody else to the same machines. Machines live
/// as long as the fixture.
struct libvirt_fixture {
  static constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";
  static constexpr const char* uri = "test:///default";

  libvirt_fixture() { std::filesystem::create_directories(consoles); }
  ~libvirt_fixture() { std::filesystem::remove_all(consoles); }

  std::filesystem::path consoles =
    std::filesystem::temp_directory_path() / ("mistify-consoles-" + std::to_string(::getpid()));
  agents::libvirt_agent agent{0, {.uri = uri, .consoles = consoles, .media = "/images:/dev/zvol"}};
  caller call{agent.server()};
  agents::connection_ptr other{agents::must(virConnectOpen(uri))};

  std::string raw(std::string_view method, const rpc::guest& g) {
    return call("Libvirt." + std::string{method}, R"({"guest":)" + rpc::encode(g) + R"(,"action":"x"})");
  }

  /// Calls a method with the guest and returns it as it comes back.
  rpc::guest guest(std::string_view method, const rpc::guest& g) {
    const auto answer = rpc::json::document::parse(raw(method, g));
    return rpc::decode_guest(*answer.root().find("guest"));
  }

  rpc::guest_metrics_response metrics(std::string_view method, const rpc::guest& g) {
    const auto answer = rpc::json::document::parse(raw(method, g));
    rpc::guest_metrics_response read;
    rpc::decode(answer.root(), read);
    return read;
  }

  static rpc::guest small(const std::string& with_id = id) {
    rpc::guest g;
    g.id = with_id;
    g.memory = 256;
    g.cpu = 2;
    return g;
  }

  /// A guest with disks, nics, metadata, and members that the sub-agent does not know.
  static rpc::guest whole() {
    auto g = small();
    g.disks = disks(R"([{"source":"/images/a.qcow2"},{"size":9,"volume":"tank/g/disk-1","tier":[1.0]}])");
    g.nics = nics(R"([{"network":"default"},{"name":"back","network":"br0","vlans":[7]}])");
    g.metadata = {{"owner", "ann"}};
    g.extra = {{"note", R"({"a":1})"}};
    return g;
  }

  agents::domain_ptr domain() { return agents::need_domain(other.get(), id); }
};

} // namespace mistify::test
