#include "actors/guests/metric_devices.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/model/codec.hpp"

namespace mistify::actors {

namespace {

constexpr std::size_t longest_name = 256;

/// `name` is the member of a device that repeats its name.
template <class Figure, class Decode>
std::map<std::string, Figure> by_name(const rpc::json::node* member, std::string_view field, std::size_t most,
                                      Decode decode, std::string Figure::*name) {
  std::map<std::string, Figure> found;
  if (!member)
    return found;
  for (const auto& [key, value] : member->members(field)) {
    auto device = rpc::cut_text(key, longest_name);
    if (found.size() >= most && !found.contains(device))
      continue;
    auto figure = decode(value);
    rpc::shorten_text(figure.*name, longest_name);
    found.insert_or_assign(std::move(device), std::move(figure));
  }
  return found;
}

} // namespace

std::vector<rpc::guest_cpu_metrics> processors_of(const rpc::json::node* member, std::size_t most) {
  std::vector<rpc::guest_cpu_metrics> found;
  if (!member)
    return found;
  for (const rpc::json::node& cpu : member->items("cpu")) {
    if (found.size() >= most)
      break;
    found.push_back(rpc::decode_cpu_metrics(cpu));
  }
  return found;
}

std::map<std::string, rpc::guest_disk_metrics> disks_of(const rpc::json::node* member, std::size_t most) {
  return by_name(member, "disk", most, rpc::decode_disk_metrics, &rpc::guest_disk_metrics::disk);
}

std::map<std::string, rpc::guest_nic_metrics> nics_of(const rpc::json::node* member, std::size_t most) {
  return by_name(member, "nic", most, rpc::decode_nic_metrics, &rpc::guest_nic_metrics::name);
}

} // namespace mistify::actors
