#include "rpc/agents/libvirt/pending_changes.hpp"

#include "rpc/agents/libvirt/domain_reader.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <map>

namespace mistify::agents {

namespace {

constexpr std::uint64_t kb_in_mb = 1024;

std::string text(const std::string& value) {
  return std::move(rpc::json::writer{}.value(value)).str();
}

void add_number(std::vector<pending_change>& to, const char* member, std::uint64_t now, std::uint64_t next) {
  if (now != next)
    to.push_back({member, std::to_string(now), std::to_string(next)});
}

std::map<std::string, std::string> disks_of(const domain_shape& shape) {
  std::map<std::string, std::string> found;
  for (const auto& disk : shape.disks)
    found["disks." + disk.device] = text(disk.source);
  return found;
}

std::map<std::string, std::string> nics_of(const domain_shape& shape) {
  std::map<std::string, std::string> found;
  for (const auto& nic : shape.nics)
    found["nics." + nic.mac] = text(nic.source);
  return found;
}

std::string value_in(const std::map<std::string, std::string>& in, const std::string& key) {
  const auto found = in.find(key);
  return found == in.end() ? "null" : found->second;
}

void add_devices(std::vector<pending_change>& to, const std::map<std::string, std::string>& now,
                 const std::map<std::string, std::string>& next) {
  auto all = now;
  all.insert(next.begin(), next.end());
  for (const auto& [member, value] : all)
    if (const auto before = value_in(now, member), after = value_in(next, member); before != after)
      to.push_back({member, before, after});
}

} // namespace

std::vector<pending_change> find_pending(const std::string& running_xml, const std::string& defined_xml) {
  const auto now = read_domain(running_xml), next = read_domain(defined_xml);
  std::vector<pending_change> found;
  add_number(found, "memory", now.memory / kb_in_mb, next.memory / kb_in_mb);
  add_number(found, "cpu", now.cpus, next.cpus);
  add_devices(found, disks_of(now), disks_of(next));
  add_devices(found, nics_of(now), nics_of(next));
  return found;
}

std::string encode(const pending_list& value) {
  rpc::json::writer out;
  out.begin_array();
  for (const auto& one : value.changes)
    out.begin_object().key("member").value(one.member).key("now").raw(one.now).key("next").raw(one.next).end_object();
  out.end_array();
  return std::move(out).str();
}

} // namespace mistify::agents
