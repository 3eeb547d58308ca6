#include "http/api/views/host_json.hpp"

#include "rpc/base/time.hpp"

namespace mistify::http {

namespace {

void write_cpu(rpc::json::writer& out, const rpc::host_cpu& cpu) {
  out.key("cpu").begin_object();
  out.key("count").value(cpu.count).key("threads").value(cpu.threads).key("model").value(cpu.model);
  rpc::write_numa(out.key("numa"), cpu.numa);
  out.end_object();
}

void write_memory(rpc::json::writer& out, const rpc::host_memory& memory, const store::host_sums& sums) {
  out.key("memory").begin_object();
  out.key("total").value(memory.total).key("free").value(memory.free);
  out.key("allocated").value(sums.allocated.memory).key("promised").value(sums.promised.memory);
  rpc::write_huge_pages(out.key("huge_pages"), memory.huge_pages);
  out.end_object();
}

void write_stores(rpc::json::writer& out, const std::vector<rpc::store_info>& stores) {
  out.key("stores").begin_array();
  for (const auto& one : stores)
    out.begin_object()
      .key("name")
      .value(one.name)
      .key("total")
      .value(one.total)
      .key("free")
      .value(one.free)
      .key("promised")
      .value(one.promised)
      .end_object();
  out.end_array();
}

} // namespace

void write_maintenance(rpc::json::writer& out, const store::maintenance& now) {
  out.key("maintenance").begin_object().key("on").value(now.on);
  if (now.on)
    out.key("reason").value(now.reason).key("since").value(rpc::encode(now.since));
  out.end_object();
}

std::string host_json(const actors::host_view& host) {
  rpc::json::writer out;
  out.begin_object().key("id").value(host.id).key("name").value(host.name).key("version").value(MISTIFY_VERSION);
  write_cpu(out, host.figures.host.cpu);
  write_memory(out, host.figures.host.memory, host.sums);
  write_stores(out, host.figures.stores);
  out.key("guests").begin_object().key("count").value(host.sums.guests).key("running").value(host.sums.running);
  out.end_object();
  if (host.maintenance.on)
    write_maintenance(out, host.maintenance);
  out.key("age");
  if (host.age)
    out.value(std::int64_t{host.age->count()});
  else
    out.null();
  if (!host.error.empty())
    out.key("error").value(host.error);
  out.end_object();
  return std::move(out).str();
}

} // namespace mistify::http
