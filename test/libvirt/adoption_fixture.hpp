#pragma once

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/model/unmanaged.hpp"
#include "test/libvirt/fixture.hpp"

namespace mistify::test {

/// A domain of an administrator, with disks outside of the store.
struct adoption_fixture : libvirt_fixture {
  std::string raw_disk = dir.write("images/data.img", std::string(2 << 20, 'x'));
  std::string qcow2_disk = dir.write("images/root.qcow2", qcow2_maker{}.bytes());

  static std::string disk_xml(const std::string& device, const std::string& path, const std::string& format) {
    return "<disk type='file' device='disk'><driver name='qemu' type='" + format + "'/><source file='" + path +
           "'/><target dev='" + device + "' bus='virtio'/></disk>";
  }

  std::string usual_devices() const {
    return disk_xml("vda", qcow2_disk, "qcow2") + disk_xml("vdb", raw_disk, "raw") +
           "<interface type='network'><source network='default'/><mac address='52:54:00:00:00:07'/>"
           "<model type='virtio'/></interface>"
           "<graphics type='vnc' port='-1' autoport='yes'/><input type='tablet' bus='usb'/>";
  }

  agents::domain_ptr define(const std::string& devices, const std::string& more = {}, const std::string& name = "web",
                            const std::string& uuid = id) {
    const auto xml = "<domain type='test'><name>" + name + "</name><uuid>" + uuid +
                     "</uuid><title>an old one</title><memory>262245</memory><vcpu>2</vcpu>"
                     "<os><type>hvm</type>" +
                     more + "</os><devices>" + devices + "</devices></domain>";
    return agents::domain_ptr{agents::must(virDomainDefineXML(other.get(), xml.c_str()))};
  }

  agents::domain_ptr start(agents::domain_ptr d) {
    agents::must(virDomainCreate(d.get()));
    return d;
  }

  static rpc::guest wish() {
    rpc::guest g;
    g.id = id;
    g.state = "adopt";
    g.metadata = {{"owner", "ann"}};
    return g;
  }

  rpc::guest adopt() { return guest("Adopt", wish()); }

  rpc::guest change(const std::string& method, const rpc::guest& g, const std::string& params) {
    const auto answer = rpc::json::document::parse(
      call("Libvirt." + method, R"({"guest":)" + rpc::encode(g) + R"(,"action":"x","params":)" + params + "}"));
    return rpc::decode_guest(*answer.root().find("guest"));
  }

  std::vector<rpc::unmanaged_domain> unmanaged() {
    return rpc::decode_unmanaged_results(
      rpc::json::document::parse("[" + call("Libvirt.ListUnmanaged", "{}") + "]").root());
  }

  rpc::unmanaged_domain listed(const std::string& name = "web") {
    for (const auto& one : unmanaged())
      if (one.name == name)
        return one;
    throw std::runtime_error{"not listed"};
  }

  /// As an administrator does.
  void edit(const std::string& before, const std::string& after) {
    auto text = xml();
    text.replace(text.find(before), before.size(), after);
    agents::domain_ptr{agents::must(virDomainDefineXML(other.get(), text.c_str()))};
  }

  std::string refusal() {
    try {
      adopt();
      return "taken";
    } catch (const std::exception& e) {
      return e.what();
    }
  }

  static std::string xml_of(virDomainPtr d, unsigned flags) {
    return agents::text_ptr{agents::must(virDomainGetXMLDesc(d, flags))}.get();
  }
};

} // namespace mistify::test
