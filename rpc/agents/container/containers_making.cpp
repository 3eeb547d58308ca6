#include "rpc/agents/container/containers.hpp"

#include "rpc/agents/container/image_names.hpp"
#include "rpc/base/log.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

using namespace std::chrono_literals;

constexpr auto create_time = 120s;

std::string label_in(const rpc::json::node& volume) {
  const auto* labels = volume.find("Labels");
  const auto* guest = labels ? labels->find(guest_label) : nullptr;
  return guest && guest->type() == rpc::json::node::kind::string ? guest->as_string("label") : std::string{};
}

std::string body_of(const volume_plan& volume, const std::string& guest) {
  rpc::json::writer w;
  w.begin_object().key("Name").value(volume.name);
  w.key("Labels").begin_object().key(guest_label).value(guest).end_object();
  if (volume.size > 0)
    w.key("DriverOpts").begin_object().key("size").value(std::to_string(volume.size) + 'M').end_object();
  w.end_object();
  return std::move(w).str();
}

std::string connect_body(const std::string& container, const std::string& endpoint) {
  rpc::json::writer w;
  w.begin_object().key("Container").value(container).key("EndpointConfig").raw(endpoint).end_object();
  return std::move(w).str();
}

std::runtime_error foreign_volume(const std::string& name) {
  return std::runtime_error{"conflict: the volume " + name + " is somebody else's"};
}

/// The name of a volume in the engine's list that is the guest's; "" for any other.
std::string own_volume(const rpc::json::node& volume, const std::string& guest) {
  const auto* name = volume.find("Name");
  if (!name || name->type() != rpc::json::node::kind::string || label_in(volume) != guest)
    return {};
  auto text = name->as_string("Name");
  return text.starts_with(guest + '-') ? text : std::string{};
}

std::string text_in(const rpc::json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  return found && found->type() == rpc::json::node::kind::string ? found->as_string(name) : std::string{};
}

/// Engines find a network by its id too, or by the begin of it: the host's would be asked for so without its name.
bool is_called(const rpc::json::node& network, const std::string& name) {
  const auto driver = text_in(network, "Driver");
  const bool is_id = text_in(network, "Id").starts_with(name) && text_in(network, "Name") != name;
  return driver != "host" && driver != "null" && !is_id;
}

} // namespace

std::string containers::image_of(const std::string& name) {
  for (const auto& reference : references_of(name))
    if (const auto image = engine_.find("/images/" + escaped(reference) + "/json"))
      if (const auto* id = image->root().find("Id"))
        return id->as_string("Id");
  throw std::runtime_error{"no such image: " + name};
}

void containers::expect_networks(const container_plan& plan) {
  for (const auto& name : plan.networks) {
    const auto network = engine_.find("/networks/" + escaped(name));
    if (!network || !is_called(network->root(), name))
      throw std::invalid_argument{"nics: the container engine has no network " + name};
  }
}

void containers::make_volumes(const container_plan& plan, const std::string& guest) {
  for (const auto& volume : plan.volumes) {
    if (const auto there = engine_.find("/volumes/" + escaped(volume.name))) {
      if (label_in(there->root()) != guest)
        throw foreign_volume(volume.name);
      continue;
    }
    // A volume that somebody made meanwhile is the answer, as if it were new.
    const auto made = engine_.post("/volumes/create", body_of(volume, guest));
    if (!made || label_in(made->root()) != guest)
      throw foreign_volume(volume.name);
  }
}

/// A container that cannot be connected to all of its networks is removed again.
void containers::make(const container_plan& plan, const std::string& guest) {
  const auto name = container_name(guest);
  const auto made = engine_.post("/containers/create?name=" + name, plan.body, create_time);
  if (!made || !made->root().find("Id"))
    throw engine_error{"the container engine did not say what it created"};
  const auto id = text_in(made->root(), "Id");
  const auto key = is_engine_id(id) ? id : name;
  try {
    connect(plan, key, {});
  } catch (...) {
    try {
      engine_.remove("/containers/" + key + "?force=1&v=1");
    } catch (const engine_error& e) {
      rpc::log::warning("a container that is not whole stays", {{"container", name}, {"reason", e.what()}});
    }
    throw;
  }
}

/// To those of its further networks that it is not connected to.
void containers::connect(const container_plan& plan, const std::string& key,
                         const std::vector<container_facts::network>& there) {
  for (const auto& more : plan.more_networks)
    if (std::ranges::find(there, more.name, &container_facts::network::name) == there.end())
      engine_.post("/networks/" + escaped(more.name) + "/connect", connect_body(key, more.body));
}

rpc::guest_response containers::create(const container_call& call) {
  auto g = call.guest;
  expect_guest_id(g.id);
  const auto turn = locks_.take(g.id);
  auto plan = plan_container(g, g.image, rules_); // before anything is asked of the engine
  const auto there = find(g.id);
  if (there && there->shape != plan.shape)
    throw std::runtime_error{"conflict: the guest has a container already, made from another description"};
  if (there) { // perhaps from a create that was cut off
    connect(plan, there->key(), there->networks);
  } else {
    plan = plan_container(g, image_of(g.image), rules_);
    expect_networks(plan);
    marks_.note(g.id);
    make_volumes(plan, g.id);
    make(plan, g.id);
  }
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    g.disks[i].device = mount_point_of(g.disks[i], i);
    if (g.disks[i].source.empty())
      g.disks[i].volume = volume_name(g.id, i);
  }
  return answer(std::move(g));
}

void containers::remove_volumes(const std::string& guest) {
  const auto listed = engine_.get("/volumes?" + filter_of("label", guest_label + ("=" + guest)));
  const auto* volumes = listed.root().find("Volumes");
  if (!volumes)
    return;
  for (const auto& one : volumes->items("Volumes"))
    if (const auto name = own_volume(one, guest); !name.empty())
      engine_.remove("/volumes/" + escaped(name));
}

rpc::guest_response containers::remove(const container_call& call) {
  rpc::guest_response gone{call.guest};
  const auto& id = gone.guest.id;
  expect_guest_id(id);
  const auto turn = locks_.take(id);
  const auto name = container_name(id);
  known_.forget(id);
  if (const auto there = engine_.find("/containers/" + name + "/json")) {
    if (const auto facts = read_container(there->root()); facts.guest == id)
      engine_.remove("/containers/" + facts.key() + "?force=1&v=1", 120s);
    else
      gone.message = "left alone: " + name;
  }
  remove_volumes(id);
  marks_.forget(id);
  set_state(gone.guest, {"deleted", {}});
  return gone;
}

} // namespace mistify::agents::container
