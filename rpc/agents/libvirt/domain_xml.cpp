#include "rpc/agents/libvirt/domain_xml.hpp"

#include "rpc/agents/libvirt/handles.hpp"

namespace mistify::agents {

namespace {

std::string xml_of(virDomainPtr d, unsigned flags) {
  return text_ptr{must(virDomainGetXMLDesc(d, flags))}.get();
}

} // namespace

std::string current_xml(virDomainPtr d) {
  return xml_of(d, 0);
}

std::string defined_xml(virDomainPtr d) {
  return xml_of(d, VIR_DOMAIN_XML_INACTIVE);
}

std::string whole_xml(virDomainPtr d) {
  return xml_of(d, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
}

} // namespace mistify::agents
