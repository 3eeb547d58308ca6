#include "actors/guests/metric_devices.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "rpc/model/codec.hpp"

#include <map>

namespace mistify::http::handlers {

namespace {

using actors::disks_of;
using actors::nics_of;
using actors::processors_of;

using encoder = std::string (*)(const rpc::json::node& result, std::size_t most);

/// Returns the member of the result that holds the values; null if it is missing.
const rpc::json::node* member_of(const rpc::json::node& result, std::string_view name) {
  result.members("result"); // throws unless it is an object
  return result.find(name);
}

std::string encode_cpu(const rpc::json::node& result, std::size_t most) {
  rpc::json::writer out;
  out.begin_array();
  for (const auto& cpu : processors_of(member_of(result, "cpu"), most))
    out.raw(rpc::encode(cpu));
  out.end_array();
  return std::move(out).str();
}

/// Encodes an object by name, sorted by name.
template <class Figure>
std::string encode_by_name(const std::map<std::string, Figure>& values) {
  rpc::json::writer out;
  out.begin_object();
  for (const auto& [name, value] : values)
    out.key(name).raw(rpc::encode(value));
  out.end_object();
  return std::move(out).str();
}

std::string encode_disk(const rpc::json::node& result, std::size_t most) {
  return encode_by_name(disks_of(member_of(result, "disk"), most));
}

std::string encode_nic(const rpc::json::node& result, std::size_t most) {
  return encode_by_name(nics_of(member_of(result, "nic"), most));
}

/// For containers "containerCpuMetrics" if it is configured, otherwise "cpuMetrics" as for all guests.
actors::action_ptr require_metrics_action(const context& cx, std::string_view guest_type, std::string_view action) {
  if (const auto own = action_for(guest_type, action); own != action)
    if (auto found = cx.settings.find_action(own))
      return found;
  return require_action(cx, action);
}

task<answer> get_metrics(context& cx, request& from, std::string action, encoder encode) {
  const auto guest = require_guest(cx, from.captures["guest"]);
  actors::info_request question{require_metrics_action(cx, guest->type, action), {}, false, from.id};
  const auto result = co_await cx.agents.ask(guest->id, std::move(question));
  co_return json_answer(200,
                        from_sub_agent([&] { return encode(result.root(), cx.settings.get()->limit.metric_devices); }));
}

} // namespace

task<answer> get_cpu_metrics(context& cx, request& from) {
  return get_metrics(cx, from, "cpuMetrics", encode_cpu);
}
task<answer> get_disk_metrics(context& cx, request& from) {
  return get_metrics(cx, from, "diskMetrics", encode_disk);
}
task<answer> get_nic_metrics(context& cx, request& from) {
  return get_metrics(cx, from, "nicMetrics", encode_nic);
}

} // namespace mistify::http::handlers
