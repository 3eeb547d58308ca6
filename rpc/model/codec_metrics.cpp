#include "rpc/model/codec.hpp"
#include "rpc/model/codec_fields.hpp"

namespace mistify::rpc {

namespace wire {

template <>
struct fields<guest_cpu_metrics> {
  static constexpr auto all =
    std::tuple{always("cpu_time", &guest_cpu_metrics::cpu_time), always("vcpu_time", &guest_cpu_metrics::vcpu_time)};
};

template <>
struct fields<guest_disk_metrics> {
  using t = guest_disk_metrics;
  static constexpr auto all = std::tuple{always("disk", &t::disk),
                                         always("read_ops", &t::read_ops),
                                         always("read_bytes", &t::read_bytes),
                                         always("read_time", &t::read_time),
                                         always("write_ops", &t::write_ops),
                                         always("write_bytes", &t::write_bytes),
                                         always("write_time", &t::write_time),
                                         always("flush_ops", &t::flush_ops),
                                         always("flush_time", &t::flush_time)};
};

template <>
struct fields<guest_nic_metrics> {
  using t = guest_nic_metrics;
  static constexpr auto all = std::tuple{always("name", &t::name),
                                         always("rx_bytes", &t::rx_bytes),
                                         always("rx_packets", &t::rx_packets),
                                         always("rx_errors", &t::rx_errors),
                                         always("rx_drops", &t::rx_drops),
                                         always("tx_bytes", &t::tx_bytes),
                                         always("tx_packets", &t::tx_packets),
                                         always("tx_errors", &t::tx_errors),
                                         always("tx_drops", &t::tx_drops)};
};

} // namespace wire

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
