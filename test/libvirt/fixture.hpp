#pragma once

#include "rpc/agents/libvirt/libvirt_agent.hpp"
#include "test/images/qcow2_maker.hpp"
#include "test/libvirt/guest_parts.hpp"
#include "test/rpc/agent_calls.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

namespace mistify::test {

/// A store of mistify-storage and a folder of media, as files.
struct disk_lab {
  temp_dir dir;
  std::filesystem::path home = std::filesystem::canonical(dir.path());
  std::filesystem::path store = home / "store", media = home / "media";

  disk_lab() {
    std::filesystem::create_directories(media);
    std::filesystem::create_directories(store / ".staging");
  }

  agents::place_settings places() const { return {.stores = {store}, .media = media}; }

  /// Writes a volume of the store; `head` names its backing file.
  std::string put_volume(const std::string& name, const qcow2_maker& head = {}) const {
    const auto file = store / (name + ".qcow2");
    std::filesystem::create_directories(file.parent_path());
    return dir.write(file.lexically_relative(home), head.bytes());
  }
  std::string put_media(const std::string& name, std::string_view text = "x") const {
    return dir.write("media/" + name, text);
  }

  /// Returns a disk as mistify-storage describes it.
  static rpc::disk disk_of(const std::string& volume, const std::string& source) {
    rpc::disk d;
    d.volume = volume;
    d.source = source;
    return d;
  }
};

/// The libvirt sub-agent on libvirt's test driver, and a second connection to the same machines. Machines live as
/// long as the fixture.
struct libvirt_fixture : disk_lab {
  static constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";
  static constexpr const char* uri = "test:///default";

  libvirt_fixture() { std::filesystem::create_directories(consoles); }

  std::filesystem::path consoles = home / "consoles";
  agents::libvirt_agent agent{0, {.uri = uri, .consoles = consoles, .places = places()}};
  caller call{agent.server()};
  agents::connection_ptr other{agents::must(virConnectOpen(uri))};

  std::string raw(std::string_view method, const rpc::guest& g) {
    return call("Libvirt." + std::string{method}, R"({"guest":)" + rpc::encode(g) + R"(,"action":"x"})");
  }

  /// Calls a method with the guest and returns the resulting guest.
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

  /// Returns the guest's own disk of that number.
  rpc::disk own_disk(int number, const std::string& of = id) const {
    const auto volume = "guests/" + of + "/disk-" + std::to_string(number);
    return disk_of(volume, put_volume(volume));
  }

  /// Returns a guest with disks, nics, metadata, and members unknown to the sub-agent.
  rpc::guest whole() const {
    auto g = small();
    g.disks = {own_disk(0), own_disk(1)};
    g.disks[1].size = 9;
    g.disks[1].extra = {{"tier", "[1.0]"}};
    g.nics = nics(R"([{"network":"default"},{"name":"back","network":"br0","vlans":[7]}])");
    g.metadata = {{"owner", "ann"}};
    g.extra = {{"note", R"({"a":1})"}};
    return g;
  }

  /// Returns the domain's XML as libvirt stores it, with passwords.
  std::string xml() {
    constexpr unsigned flags = VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE;
    return agents::text_ptr{agents::must(virDomainGetXMLDesc(domain().get(), flags))}.get();
  }

  agents::domain_ptr domain() {
    auto found = agents::find_domain(other.get(), id);
    agents::must(found.get());
    return found;
  }
};

} // namespace mistify::test
