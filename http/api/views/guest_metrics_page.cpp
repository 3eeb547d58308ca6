#include "http/api/views/guest_metrics_page.hpp"

#include "http/api/views/prometheus_writer.hpp"

namespace mistify::http {

namespace {

using actors::guest_metrics;
using actors::guest_metrics_cache;
using figures = std::vector<guest_metrics_cache::entry>;

/// A family: its name, its help text, and how to read it.
template <class Figure>
struct column {
  std::string_view name, help;
  double (*value)(const Figure&);
};

template <class T>
double number(T value) {
  return static_cast<double>(value);
}

using cpu = rpc::guest_cpu_metrics;
constexpr column<cpu> cpu_columns[] = {
  {"mistify_guest_cpu_seconds_total", "Processor time of the guest.", [](const cpu& c) { return c.cpu_time; }},
  {"mistify_guest_vcpu_seconds_total", "Time of the guest's virtual processor.",
   [](const cpu& c) { return c.vcpu_time; }},
};

using disk = rpc::guest_disk_metrics;
constexpr column<disk> disk_columns[] = {
  {"mistify_guest_disk_reads_total", "Reads.", [](const disk& d) { return number(d.read_ops); }},
  {"mistify_guest_disk_read_bytes_total", "Bytes read.", [](const disk& d) { return number(d.read_bytes); }},
  {"mistify_guest_disk_read_seconds_total", "Time of reads.", [](const disk& d) { return d.read_time; }},
  {"mistify_guest_disk_writes_total", "Writes.", [](const disk& d) { return number(d.write_ops); }},
  {"mistify_guest_disk_written_bytes_total", "Bytes written.", [](const disk& d) { return number(d.write_bytes); }},
  {"mistify_guest_disk_write_seconds_total", "Time of writes.", [](const disk& d) { return d.write_time; }},
  {"mistify_guest_disk_flushes_total", "Flushes.", [](const disk& d) { return number(d.flush_ops); }},
  {"mistify_guest_disk_flush_seconds_total", "Time of flushes.", [](const disk& d) { return d.flush_time; }},
};

using nic = rpc::guest_nic_metrics;
constexpr column<nic> nic_columns[] = {
  {"mistify_guest_network_receive_bytes_total", "Bytes received.", [](const nic& n) { return number(n.rx_bytes); }},
  {"mistify_guest_network_receive_packets_total", "Packets received.",
   [](const nic& n) { return number(n.rx_packets); }},
  {"mistify_guest_network_receive_errors_total", "Errors of receiving.",
   [](const nic& n) { return number(n.rx_errors); }},
  {"mistify_guest_network_receive_drops_total", "Packets dropped on their way in.",
   [](const nic& n) { return number(n.rx_drops); }},
  {"mistify_guest_network_transmit_bytes_total", "Bytes sent.", [](const nic& n) { return number(n.tx_bytes); }},
  {"mistify_guest_network_transmit_packets_total", "Packets sent.", [](const nic& n) { return number(n.tx_packets); }},
  {"mistify_guest_network_transmit_errors_total", "Errors of sending.",
   [](const nic& n) { return number(n.tx_errors); }},
  {"mistify_guest_network_transmit_drops_total", "Packets dropped on their way out.",
   [](const nic& n) { return number(n.tx_drops); }},
};

void show_ages(prometheus_writer& page, const figures& all) {
  const auto now = guest_metrics::clock::now();
  page.family("mistify_guest_metrics_age_seconds", "How old the oldest figures of a guest on this page are.", "gauge");
  for (const auto& one : all)
    if (const auto taken = one->oldest())
      page.sample({{"guest", one->guest}}, std::chrono::duration<double>{now - *taken}.count());
}

void show_column(prometheus_writer& page, const figures& all, const column<cpu>& c) {
  for (const auto& one : all)
    for (std::size_t i = 0; i < one->cpus.size(); ++i)
      page.sample({{"guest", one->guest}, {"cpu", std::to_string(i)}}, c.value(one->cpus[i]));
}

void show_column(prometheus_writer& page, const figures& all, const column<disk>& c) {
  for (const auto& one : all)
    for (const auto& [name, value] : one->disks)
      page.sample({{"guest", one->guest}, {"disk", name}}, c.value(value));
}

void show_column(prometheus_writer& page, const figures& all, const column<nic>& c) {
  for (const auto& one : all)
    for (const auto& [name, value] : one->nics)
      page.sample({{"guest", one->guest}, {"device", name}}, c.value(value));
}

} // namespace

/// Each piece is one family: about a megabyte for ten thousand guests, instead of the whole page.
void show_guest_metrics(const figures& all, const std::function<bool(std::string_view)>& write) {
  prometheus_writer page;
  show_ages(page, all);
  const auto show = [&](const auto& columns) {
    for (const auto& c : columns) {
      page.family(c.name, c.help, "counter");
      show_column(page, all, c);
      if (!write(page.take()))
        return false;
    }
    return true;
  };
  show(cpu_columns) && show(disk_columns) && show(nic_columns);
}

} // namespace mistify::http
