#include "http/bridge.hpp"
#include "http/handlers/common.hpp"
#include "http/handlers/handlers.hpp"
#include "rpc/codec.hpp"

#include <map>

namespace mistify::http::handlers {

namespace {

using encoder = std::string (*)(const rpc::json::node& result);

/// The member of the result that holds the values; null where it is missing.
const rpc::json::node* member_of(const rpc::json::node& result, std::string_view name) {
  result.members("result"); // refuses what is no object
  return result.find(name);
}

std::string encode_cpu(const rpc::json::node& result) {
  std::vector<std::string> values;
  if (const auto* cpus = member_of(result, "cpu"))
    for (const rpc::json::node& cpu : cpus->items("cpu"))
      values.push_back(rpc::encode(rpc::decode_cpu_metrics(cpu)));
  return json_array(values);
}

/// An object by name; the names sorted.
template <class Decode>
std::string encode_by_name(const rpc::json::node* devices, std::string_view field, Decode decode) {
  std::map<std::string, std::string, std::less<>> values;
  if (devices)
    for (const auto& [name, value] : devices->members(field))
      values.insert_or_assign(std::string{name}, rpc::encode(decode(value)));
  rpc::json::writer out;
  out.begin_object();
  for (const auto& [name, value] : values)
    out.key(name).raw(value);
  out.end_object();
  return std::move(out).str();
}

std::string encode_disk(const rpc::json::node& result) {
  return encode_by_name(member_of(result, "disk"), "disk", rpc::decode_disk_metrics);
}

std::string encode_nic(const rpc::json::node& result) {
  return encode_by_name(member_of(result, "nic"), "nic", rpc::decode_nic_metrics);
}

task<answer> get_metrics(context& cx, request from, std::string action, encoder encode) {
  const auto guest = need_guest(cx, from.captures[0]);
  actors::info_request question{need_action(cx, action), {}, false, from.id};
  const auto result = co_await cx.agents.ask(guest->id, std::move(question));
  co_return json_answer(200, from_sub_agent([&] { return encode(rpc::json::document::parse(result).root()); }));
}

} // namespace

task<answer> get_cpu_metrics(context& cx, request from) {
  return get_metrics(cx, std::move(from), "cpuMetrics", encode_cpu);
}
task<answer> get_disk_metrics(context& cx, request from) {
  return get_metrics(cx, std::move(from), "diskMetrics", encode_disk);
}
task<answer> get_nic_metrics(context& cx, request from) {
  return get_metrics(cx, std::move(from), "nicMetrics", encode_nic);
}

} // namespace mistify::http::handlers
