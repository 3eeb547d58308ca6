#include "rpc/agents/container/container_facts.hpp"

#include "rpc/base/text.hpp"

#include <algorithm>

namespace mistify::agents::container {

namespace {

using rpc::json::node;

constexpr std::int64_t killed = 128 + 9; // SIGKILL, as shells count

const node* member(const node* of, std::string_view name) {
  return of ? of->find(name) : nullptr;
}

std::string text_of(const node* n) {
  return n && n->type() == node::kind::string ? n->as_string("") : std::string{};
}

bool truth_of(const node* n) {
  return n && n->type() == node::kind::boolean && n->as_bool("");
}

std::int64_t number_of(const node* n, std::int64_t otherwise) {
  try {
    return n && n->type() == node::kind::number ? n->as_int("") : otherwise;
  } catch (const std::exception&) {
    return otherwise;
  }
}

/// Both engines write the Go zero time for what never was.
std::string time_of(const node* n) {
  auto text = text_of(n);
  return text.starts_with("0001-") ? std::string{} : text;
}

void read_state(const node* state, container_facts& to) {
  const auto status = text_of(member(state, "Status"));
  to.paused = truth_of(member(state, "Paused")) || status == "paused";
  to.running = truth_of(member(state, "Running")) || to.paused || status == "running" || status == "restarting";
  to.out_of_memory = truth_of(member(state, "OOMKilled"));
  to.exit_code = number_of(member(state, "ExitCode"), 0);
  to.process = number_of(member(state, "Pid"), 0);
  to.started = time_of(member(state, "StartedAt"));
  to.finished = time_of(member(state, "FinishedAt"));
}

void read_config(const node* config, container_facts& to) {
  const auto* labels = member(config, "Labels");
  to.guest = text_of(member(labels, guest_label));
  to.shape = text_of(member(labels, shape_label));
  const auto* signal = member(config, "StopSignal");
  to.stop_signal = signal && signal->type() == node::kind::number ? signal->text() : text_of(signal);
  to.stop_time = std::clamp<std::int64_t>(number_of(member(config, "StopTimeout"), to.stop_time), 0, 3600);
  to.tty = truth_of(member(config, "Tty"));
}

void read_networks(const node* networks, container_facts& to) {
  if (!networks || networks->type() != node::kind::object)
    return;
  for (const auto& [name, facts] : networks->members(""))
    to.networks.push_back({std::string{name}, text_of(facts.find("MacAddress")), text_of(facts.find("IPAddress")),
                           text_of(facts.find("GlobalIPv6Address"))});
}

} // namespace

std::string container_name(const std::string& guest) {
  return "mistify-" + guest;
}

bool is_engine_id(std::string_view id) noexcept {
  constexpr std::size_t length = 64;
  return id.size() == length && std::ranges::all_of(id, [](char c) { return rpc::text::hex_value(c) >= 0; });
}

container_facts read_container(const node& inspected) {
  container_facts facts;
  facts.id = text_of(inspected.find("Id"));
  facts.name = text_of(inspected.find("Name"));
  if (facts.name.starts_with('/'))
    facts.name.erase(0, 1);
  read_state(inspected.find("State"), facts);
  read_config(inspected.find("Config"), facts);
  read_networks(member(inspected.find("NetworkSettings"), "Networks"), facts);
  return facts;
}

guest_state state_of(const container_facts& facts, const std::string& stopped_run) {
  if (facts.running)
    return {facts.paused ? "paused" : "running", {}};
  if (facts.started.empty())
    return {"stopped", {}};
  if (facts.started == stopped_run)
    return {"stopped", "user"};
  if (facts.out_of_memory)
    return {"stopped", "oom"};
  if (facts.exit_code == killed)
    return {"stopped", "killed"};
  return {"stopped", facts.exit_code == 0 ? "shutdown" : "crashed:" + std::to_string(facts.exit_code)};
}

guest_state missing_state() {
  return {"unknown", "missing"};
}

void set_state(rpc::guest& g, const guest_state& state) {
  g.state = state.name;
  g.state_reason = state.reason;
}

const container_facts::network* network_of(const rpc::nic& nic, const rpc::guest& g, const container_facts& facts) {
  if (g.nics.size() == 1 && facts.networks.size() == 1) // podman calls the network `bridge` by another name
    return &facts.networks.front();
  const auto found = std::ranges::find(facts.networks, nic.network, &container_facts::network::name);
  return found == facts.networks.end() ? nullptr : &*found;
}

void fill_in(rpc::guest& g, const container_facts& facts, const guest_state& state) {
  set_state(g, state);
  for (auto& nic : g.nics)
    if (const auto* network = network_of(nic, g, facts)) {
      nic.mac = network->mac.empty() ? nic.mac : network->mac;
      nic.address = network->address.empty() ? nic.address : network->address;
    }
}

} // namespace mistify::agents::container
