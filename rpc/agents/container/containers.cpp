#include "rpc/agents/container/containers.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t look_again = 1; ///< seconds
constexpr auto stop_slack = 30s;        ///< that the engine may need beside the container's own time

std::string path_of(const std::string& key, std::string_view action) {
  return "/containers/" + key + '/' + std::string{action};
}

bool is_running(const container_facts& facts) {
  return facts.running && !facts.paused;
}

bool is_off(const container_facts& facts) {
  return !facts.running;
}

/// The agent's names of actions on containers, and those of other guests.
bool kills(const std::string& action) {
  return action == "containerPoweroff" || action == "containerDelete" || action == "poweroff" || action == "delete";
}

bool deletes(const std::string& action) {
  return action == "containerDelete" || action == "delete";
}

std::string left_alone(const std::string& name) {
  return "left alone: " + name;
}

/// The guest in the params of a call that is served as text.
std::string guest_in(std::string_view params) {
  container_call call;
  decode(rpc::json::document::parse(params).root(), call);
  expect_guest_id(call.guest.id);
  return call.guest.id;
}

std::string text_member(const rpc::json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  return found && found->type() == rpc::json::node::kind::string ? found->as_string(name) : std::string{};
}

bool has_name(const rpc::json::node& listed, const std::string& name) {
  const auto* names = listed.find("Names");
  return names && std::ranges::any_of(names->items("Names"), [&](const rpc::json::node& one) {
           return one.type() == rpc::json::node::kind::string && one.as_string("Names") == '/' + name;
         });
}

/// The guest of a container in the engine's list; "" for somebody else's. An image can bring the label along, but no name.
std::string guest_of(const rpc::json::node& listed) {
  const auto* labels = listed.find("Labels");
  auto guest = labels ? text_member(*labels, guest_label) : std::string{};
  return is_guest_id(guest) && has_name(listed, container_name(guest)) ? guest : std::string{};
}

std::string list_of(const std::vector<std::string>& found) {
  rpc::json::writer w;
  w.begin_object().key("containers").begin_array();
  for (const auto& one : found)
    w.raw(one);
  w.end_array().end_object();
  return std::move(w).str();
}

} // namespace

containers::containers(engine& on, guest_marks& marks, container_rules rules)
  : engine_{on}, marks_{marks}, rules_{std::move(rules)} {}

// -- looking ---------------------------------------------------------------------------------------------------------

/// Returns the container with the guest's name, also one without the guest's label.
std::optional<container_facts> containers::seen(const std::string& guest) {
  const auto inspected = engine_.find(path_of(container_name(guest), "json"));
  if (!inspected) {
    known_.forget(guest);
    return std::nullopt;
  }
  auto facts = read_container(inspected->root());
  if (facts.guest == guest)
    known_.note(guest, facts.id);
  else
    known_.forget(guest);
  return facts;
}

std::optional<container_facts> containers::find(const std::string& guest) {
  auto facts = seen(guest);
  if (facts && facts->guest != guest)
    throw std::runtime_error{"conflict: " + container_name(guest) + " is a container of somebody else, " +
                             left_alone(container_name(guest))};
  return facts;
}

container_facts containers::need(const std::string& guest) {
  auto facts = find(guest);
  if (!facts)
    throw std::runtime_error{"not found: there is no container " + container_name(guest)};
  return std::move(*facts);
}

guest_state containers::look(const std::string& guest) {
  const auto facts = seen(guest);
  return facts && facts->guest == guest ? state_of(*facts, marks_.stopped_run(guest)) : missing_state();
}

rpc::guest_response containers::answer(rpc::guest g) {
  const auto facts = need(g.id);
  fill_in(g, facts, state_of(facts, marks_.stopped_run(g.id)));
  return {std::move(g)};
}

std::string containers::list(std::string_view) {
  const auto listed = engine_.get("/containers/json?all=1&" + filter_of("label", guest_label));
  std::vector<std::string> found;
  for (const auto& one : listed.root().items("containers"))
    if (!guest_of(one).empty())
      found.push_back(one.get().text());
  return list_of(found);
}

std::vector<std::string> containers::guests() {
  const auto listed = engine_.get("/containers/json?all=1&" + filter_of("label", guest_label));
  std::vector<std::string> found;
  for (const auto& one : listed.root().items("containers"))
    if (auto guest = guest_of(one); !guest.empty())
      found.push_back(std::move(guest));
  return found;
}

std::string containers::get(std::string_view params) {
  const auto facts = need(guest_in(params));
  return list_of({engine_.get(path_of(facts.key(), "json")).root().text()});
}

// -- acting ----------------------------------------------------------------------------------------------------------

/// An engine that refuses because it is so already, or became so meanwhile, has done what was asked for.
void containers::post(const container_facts& to, const std::string& action,
                      const std::function<bool(const container_facts&)>& is_done, std::chrono::milliseconds time) {
  try {
    engine_.act(path_of(to.key(), action), time);
  } catch (const engine_away&) {
    throw;
  } catch (const engine_error&) {
    const auto now = find(to.guest);
    if (!now || !is_done(*now))
      throw;
  }
}

void containers::wake(const container_facts& facts) {
  if (facts.paused)
    post(facts, "unpause", [](const container_facts& now) { return !now.paused; });
}

void containers::start_now(const container_facts& facts) {
  post(facts, "start", is_running);
}

void containers::ask_to_stop(const container_facts& facts) {
  wake(facts);
  post(facts, "kill?signal=" + escaped(facts.stop_signal.empty() ? "SIGTERM" : facts.stop_signal), is_off);
}

void containers::stop_within(const container_facts& facts, std::int64_t seconds) {
  wake(facts);
  post(facts, "stop?t=" + std::to_string(seconds), is_off, std::chrono::seconds{seconds} + stop_slack);
}

rpc::guest_response containers::stop(const container_call& call) {
  const auto& id = call.guest.id;
  expect_guest_id(id);
  const auto turn = locks_.take(id);
  if (deletes(call.action)) // its last stage takes care of what is not there, or foreign
    if (const auto state = look(id); state.name == missing_state().name) {
      rpc::guest_response gone{call.guest};
      set_state(gone.guest, state);
      return gone;
    }
  const auto facts = need(id);
  if (!facts.running)
    return answer(call.guest);
  stop_marked(facts, call);
  auto now = answer(call.guest);
  if (call.wait && !kills(call.action))
    now.retry = now.guest.state == "stopped" ? 0 : look_again;
  return now;
}

/// The mark comes first, so that the report of the stop has its reason; a run that the engine did not stop loses it.
void containers::stop_marked(const container_facts& facts, const container_call& call) {
  const auto& id = call.guest.id;
  const auto before = marks_.stopped_run(id);
  marks_.note_stop(id, facts.started);
  try {
    if (kills(call.action))
      stop_within(facts, 0);
    else if (!call.wait)
      stop_within(facts, facts.stop_time);
    else if (!call.again)
      ask_to_stop(facts);
  } catch (const engine_error& e) {
    if (e.status() > 0) // what it did not answer, it may still do
      marks_.note_stop(id, before);
    throw;
  }
}

rpc::guest_response containers::restart(const container_call& call) {
  expect_guest_id(call.guest.id);
  const auto turn = locks_.take(call.guest.id);
  const auto facts = need(call.guest.id);
  if (facts.running)
    stop_within(facts, 0);
  start_now(facts);
  return answer(call.guest);
}

rpc::guest_response containers::reboot(const container_call& call) {
  const auto& id = call.guest.id;
  expect_guest_id(id);
  const auto turn = locks_.take(id);
  auto facts = need(id);
  if (facts.running && !call.wait)
    stop_within(facts, facts.stop_time);
  else if (facts.running && !call.again)
    ask_to_stop(facts);
  if (call.wait)
    facts = need(id);
  if (call.wait && facts.running) {
    auto now = answer(call.guest);
    now.retry = look_again;
    return now;
  }
  start_now(facts);
  return answer(call.guest);
}

/// Podman answers 500 to a second pause.
rpc::guest_response containers::pause(const container_call& call) {
  expect_guest_id(call.guest.id);
  const auto turn = locks_.take(call.guest.id);
  const auto facts = need(call.guest.id);
  if (!facts.running)
    throw std::runtime_error{"conflict: the container does not run"};
  if (!facts.paused)
    post(facts, "pause", [](const container_facts& now) { return now.paused; });
  return answer(call.guest);
}

rpc::guest_response containers::unpause(const container_call& call) {
  expect_guest_id(call.guest.id);
  const auto turn = locks_.take(call.guest.id);
  const auto facts = need(call.guest.id);
  if (!facts.running)
    throw std::runtime_error{"conflict: the container does not run"};
  wake(facts);
  return answer(call.guest);
}

} // namespace mistify::agents::container
