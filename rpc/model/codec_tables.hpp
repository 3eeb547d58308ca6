#pragma once

#include "rpc/model/codec_fields.hpp"

/// Private to the codec: the tables of guests, images, snapshots and figures.
namespace mistify::rpc::wire {

template <>
struct fields<nic> {
  static constexpr auto all =
    std::tuple{if_set("name", &nic::name),       always("network", &nic::network), always("model", &nic::model),
               if_set("mac", &nic::mac),         always("address", &nic::address), always("netmask", &nic::netmask),
               always("gateway", &nic::gateway), if_set("device", &nic::device),   always("vlans", &nic::vlans)};
};

template <>
struct fields<disk> {
  static constexpr auto all =
    std::tuple{always("bus", &disk::bus),       always("device", &disk::device), always("size", &disk::size),
               always("volume", &disk::volume), always("image", &disk::image),   always("source", &disk::source)};
};

template <>
struct fields<guest> {
  static constexpr auto all = std::tuple{always("id", &guest::id),
                                         if_set("type", &guest::type),
                                         if_set("image", &guest::image),
                                         if_set("nics", &guest::nics),
                                         if_set("disks", &guest::disks),
                                         if_set("state", &guest::state),
                                         if_set("state_reason", &guest::state_reason),
                                         if_set("wanted", &guest::wanted),
                                         if_set("memory", &guest::memory),
                                         if_set("cpu", &guest::cpu),
                                         if_set("vnc", &guest::vnc),
                                         if_set("metadata", &guest::metadata)};
};

template <>
struct fields<image> {
  static constexpr auto all = std::tuple{always("id", &image::id),         always("type", &image::type),
                                         if_set("volume", &image::volume), if_set("snapshot", &image::snapshot),
                                         always("size", &image::size),     if_set("status", &image::status)};
};

template <>
struct fields<image_request> {
  static constexpr auto all =
    std::tuple{always("id", &image_request::id), always("type", &image_request::type),
               always("dest", &image_request::dest), always("source", &image_request::source)};
};

template <>
struct fields<snapshot> {
  static constexpr auto all = std::tuple{always("id", &snapshot::id), always("size", &snapshot::size)};
};

template <>
struct fields<snapshot_request> {
  static constexpr auto all = std::tuple{always("id", &snapshot_request::id), always("dest", &snapshot_request::dest),
                                         always("recursive", &snapshot_request::recursive),
                                         always("destroyMoreRecent", &snapshot_request::destroy_more_recent)};
};

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

} // namespace mistify::rpc::wire
