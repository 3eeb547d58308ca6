#include "rpc/agents/libvirt/adoption.hpp"

#include "rpc/agents/libvirt/domain_parts.hpp"
#include "rpc/agents/libvirt/handles.hpp"

#include <libvirt/virterror.h>

#include <string_view>

namespace mistify::agents {

namespace {

using images::disk_format;
using pugi::xml_node;

constexpr auto mark_uri = "https://mistify.io/xmlns/adopted/1.0";
constexpr auto mark_prefix = "mistify";

/// libvirt keeps the prefix of the element, or not, depending on its driver.
std::string_view without_prefix(std::string_view name) {
  return name.substr(name.find(':') + 1);
}

void write_file(xml_node to, const images::chain_link& file) {
  auto node = to.append_child("file");
  node.append_attribute("path") = file.path.c_str();
  node.append_attribute("format") = file.format == disk_format::qcow2 ? "qcow2" : "raw";
  node.append_attribute("device") = file.is_device ? "yes" : "no";
}

images::chain_link read_file(xml_node from) {
  const std::string_view format = from.attribute("format").value();
  return {from.attribute("path").value(), format == "qcow2" ? disk_format::qcow2 : disk_format::raw,
          std::string_view{from.attribute("device").value()} == "yes"};
}

recorded_disk read_disk(xml_node from) {
  recorded_disk files;
  for (const auto& file : from.children("file"))
    files.push_back(read_file(file));
  return files;
}

} // namespace

std::string encode_mark(const adoption& what) {
  pugi::xml_document document;
  auto mark = document.append_child("adopted");
  mark.append_attribute("id") = what.id.c_str();
  for (const auto& disk : what.disks) {
    auto node = mark.append_child("disk");
    for (const auto& file : disk)
      write_file(node, file);
  }
  for (const auto& path : what.boot_files)
    mark.append_child("boot").append_attribute("path") = path.c_str();
  return text_of(document);
}

std::optional<adoption> decode_mark(const std::string& xml) {
  pugi::xml_document document;
  if (!document.load_string(xml.c_str()))
    return std::nullopt;
  const auto mark = document.first_child();
  if (without_prefix(mark.name()) != "adopted")
    return std::nullopt;
  adoption found{.id = mark.attribute("id").value()};
  for (const auto& disk : mark.children("disk"))
    if (auto files = read_disk(disk); !files.empty())
      found.disks.push_back(std::move(files));
  for (const auto& file : mark.children("boot"))
    found.boot_files.emplace_back(file.attribute("path").value());
  return found;
}

/// A domain that is not defined has no definition that could have one.
std::optional<adoption> read_mark(virDomainPtr d) {
  if (must(virDomainIsPersistent(d)) == 0)
    return std::nullopt;
  const text_ptr text{virDomainGetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, mark_uri, VIR_DOMAIN_AFFECT_CONFIG)};
  if (text)
    return decode_mark(text.get());
  if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA && virGetLastErrorCode() != VIR_ERR_NO_SUPPORT)
    throw_last_error();
  return std::nullopt;
}

std::optional<adoption> find_adoption(virDomainPtr d) {
  auto mark = read_mark(d);
  if (mark && mark->id != uuid_of(d))
    return std::nullopt;
  return mark;
}

void write_mark(virDomainPtr d, const adoption& what) {
  unsigned where = VIR_DOMAIN_AFFECT_CONFIG;
  if (must(virDomainIsActive(d)) == 1)
    where |= VIR_DOMAIN_AFFECT_LIVE;
  must(virDomainSetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, encode_mark(what).c_str(), mark_prefix, mark_uri, where));
}

std::string uuid_of(virDomainPtr d) {
  char uuid[VIR_UUID_STRING_BUFLEN];
  must(virDomainGetUUIDString(d, uuid));
  return uuid;
}

} // namespace mistify::agents
