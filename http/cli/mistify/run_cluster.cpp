#include "http/cli/mistify/cluster/cluster.hpp"
#include "http/cli/mistify/cluster/maintenance.hpp"
#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/runs.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>

/// Hosts and guests of a cluster, as its keys have them.
namespace mistify::cli {

namespace {

using rpc::json::writer;

/// Prints a JSON array of objects.
void print_list(std::string_view kind, writer&& list, const layout& how) {
  const auto parsed = rpc::json::document::parse(std::move(list).str());
  print_rows(kind, parsed.root().items("list"), how);
}

/// Whether the output shows a column: whole objects have all.
bool shows(const layout& how, std::string_view column) {
  const auto is_it = [&](std::string_view name) { return rpc::text::equal_ignoring_case(name, column); };
  const auto by = std::string_view{how.sort}.substr(how.sort.starts_with('-') ? 1 : 0);
  return how.columns.empty() || is_it(by) || std::ranges::any_of(how.columns, is_it);
}

/// By host; null where it is unknown. A dead host is not asked.
std::vector<std::optional<bool>> maintenance_of(const std::vector<cluster_host>& hosts, const cluster& in,
                                                const arguments& args) {
  std::vector<client::settings> agents;
  for (const auto& one : hosts)
    if (one.alive) {
      agents.push_back(link_of(args));
      agents.back().agent = in.agent_of(one);
    }
  const auto answers = ask_for_maintenance(agents);
  std::vector<std::optional<bool>> all;
  auto answer = answers.begin();
  for (const auto& one : hosts)
    all.push_back(one.alive ? *answer++ : std::nullopt);
  return all;
}

void write_room(writer& out, std::string_view suffix, const room& of) {
  out.key("memory" + std::string{suffix}).value(of.memory);
  out.key("cpu" + std::string{suffix}).value(of.cpu);
  out.key("disk" + std::string{suffix}).value(of.disk);
}

void write_host(writer& out, const cluster_host& host, std::optional<bool> maintenance) {
  out.begin_object().key("id").value(host.id).key("ip").value(host.ip).key("alive").value(host.alive);
  write_room(out, "", host.total);
  write_room(out, "_free", host.available);
  out.key("guests").value(std::uint64_t{host.guests});
  out.key("maintenance").value(!maintenance ? "-" : *maintenance ? "on" : "off").end_object();
}

void write_guest(writer& out, const cluster_guest& guest) {
  out.begin_object().key("host").value(guest.host).key("id").value(guest.id).key("state").value(guest.state);
  out.key("state_reason").value(guest.reason).key("job").value(guest.job);
  out.key("host_alive").value(guest.host_alive).end_object();
}

void write_placement(writer& out, const placement& where) {
  out.begin_object().key("id").value(where.host->id).key("ip").value(where.host->ip);
  write_room(out, "_left", where.left);
  out.end_object();
}

std::string text_of(const room& guest) {
  return std::to_string(guest.memory) + " MB of memory, " + std::to_string(guest.cpu) + " processors and " +
         std::to_string(guest.disk) + " MB of disk";
}

room wanted_room(const context& cx) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40U;
  const auto memory = cx.number("--memory", 1, most);
  if (!memory)
    throw give_up{status::usage, "--memory is missing: how many MB the guest needs"};
  return {*memory, cx.number("--cpu", 0, most).value_or(0), cx.number("--disk", 0, most).value_or(0)};
}

} // namespace

int list_hosts(context& cx) {
  const auto how = cx.output(format::table, {"id", "ip", "alive", "memory", "memory_free", "cpu", "cpu_free", "disk",
                                             "disk_free", "guests", "maintenance"});
  cluster in{cx.args};
  const auto hosts = in.read().hosts;
  const auto maintenance =
    shows(how, "maintenance") ? maintenance_of(hosts, in, cx.args) : std::vector<std::optional<bool>>(hosts.size());
  writer list;
  list.begin_array();
  for (std::size_t i = 0; i < hosts.size(); ++i)
    write_host(list, hosts[i], maintenance[i]);
  list.end_array();
  print_list("host", std::move(list), how);
  return code(status::done);
}

int list_all_guests(context& cx) {
  for (const auto* other : {"--name", "--label", "--host"})
    if (cx.args.has(other))
      throw give_up{status::usage, std::string{other} + " and --all-hosts exclude each other",
                    "the cluster's keys tell the state only"};
  const auto how = cx.output(format::table, {"host", "id", "state", "state_reason", "job", "host_alive"});
  const auto most = cx.number("--limit", 1, 1'000'000);
  writer list;
  list.begin_array();
  std::size_t shown = 0;
  for (const auto& one : cluster{cx.args}.read().guests)
    if ((!cx.args.has("--state") || one.state == cx.args.text("--state")) && (!most || shown++ < *most))
      write_guest(list, one);
  list.end_array();
  print_list("guest", std::move(list), how);
  return code(status::done);
}

int find_place(context& cx) {
  const auto how = cx.output(format::table, {"id", "ip", "memory_left", "cpu_left", "disk_left"});
  const auto guest = wanted_room(cx);
  const auto count = cx.number("--count", 1, 1000);
  const auto hosts = cluster{cx.args}.read().hosts;
  const auto found = count ? place_guests(hosts, guest, *count) : hosts_that_fit(hosts, guest);
  if (found.empty())
    throw give_up{status::refused, "no alive host of the cluster has room for " + text_of(guest),
                  "`mistify hosts` shows the room of all"};
  if (count && found.size() < *count)
    throw give_up{status::refused,
                  "the cluster has room for " + std::to_string(found.size()) + " of " + std::to_string(*count) +
                    " guests of " + text_of(guest),
                  "`mistify hosts` shows the room of all"};
  writer list;
  list.begin_array();
  for (const auto& one : found)
    write_placement(list, one);
  list.end_array();
  print_list("host", std::move(list), how);
  return code(status::done);
}

} // namespace mistify::cli
