#include "rpc/model/codec.hpp"
#include "rpc/model/codec_tables.hpp"

namespace mistify::rpc {

guest_cpu_metrics decode_cpu_metrics(const json::node& node) {
  return wire::decode<guest_cpu_metrics>(node);
}

guest_disk_metrics decode_disk_metrics(const json::node& node) {
  return wire::decode<guest_disk_metrics>(node);
}

guest_nic_metrics decode_nic_metrics(const json::node& node) {
  return wire::decode<guest_nic_metrics>(node);
}

std::string encode(const guest_cpu_metrics& value) {
  return wire::encode(value);
}

std::string encode(const guest_disk_metrics& value) {
  return wire::encode(value);
}

std::string encode(const guest_nic_metrics& value) {
  return wire::encode(value);
}

} // namespace mistify::rpc
