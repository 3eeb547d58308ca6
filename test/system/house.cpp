#include "house.hpp"

#include <catch2/catch.hpp>

#include <cctype>
#include <stdexcept>
#include <vector>

namespace mistify::test {

namespace {

const std::vector<std::string> guest_actions{
  "create",     "delete",     "reboot",     "restart",   "poweroff",  "shutdown", "start",     "suspend", "update",
  "attachDisk", "detachDisk", "resizeDisk", "attachNic", "detachNic", "resume",   "hibernate", "pending"};
const std::vector<std::string> image_actions{"listImages", "getImage", "deleteImage", "fetchImage"};
const std::vector<std::string> other_actions{"cpuMetrics",  "nicMetrics",     "diskMetrics",    "listSnapshots",
                                             "getSnapshot", "createSnapshot", "deleteSnapshot", "rollbackSnapshot",
                                             "adopt",       "listUnmanaged",  "readopt"};

std::string capitalised(std::string name) {
  name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

std::string one_stage(const std::string& service, const std::string& method) {
  return R"({"service":")" + service + R"(","method":")" + method + "\"}";
}

std::string object(const std::map<std::string, std::string>& members) {
  std::string text;
  for (const auto& [key, value] : members)
    text += (text.empty() ? "" : ",") + json_string(key) + ":" + value;
  return "{" + text + "}";
}

std::string config_text(std::uint16_t port, const std::function<void(config_file&)>& change) {
  config_file file{port};
  if (change)
    change(file);
  return file.text();
}

bool has_ended(std::string_view status) {
  return status == "Complete" || status == "Error";
}

} // namespace

config_file::config_file(std::uint16_t sub_agent_port) {
  const auto port = R"({"port":)" + std::to_string(sub_agent_port);
  services["test"] = port + "}";
  services["download"] = port + R"(,"path":"/snapshots/download"})";
  services["log"] = port + R"(,"path":"/guests/log","max_pending":8})";
  for (const auto* names : {&guest_actions, &image_actions})
    for (const auto& name : *names)
      for (const auto& action : {name, "container" + capitalised(name)})
        stages(action, one_stage("test", "Test." + capitalised(action)));
  for (const auto& name : other_actions)
    stages(name, one_stage("test", "Test." + capitalised(name)));
  stages("downloadSnapshot", one_stage("download", "Test.Download"));
  for (const auto* name : {"guestLog", "containerGuestLog"})
    stages(name, one_stage("log", "Test.Log"));
}

void config_file::stages(const std::string& action, const std::string& text) {
  actions[action] = R"({"stages":[)" + text + "]}";
}

std::string config_file::text() const {
  auto all = top;
  all["actions"] = object(actions);
  all["services"] = object(services);
  return object(all);
}

house::house(const std::function<void(config_file&)>& change)
  : agent{config_text(sub.port(), change)}, http{agent.port()} {}

std::string house::create_guest(std::string_view members) {
  const auto made = http.post("/guests", "{" + std::string{members} + "}");
  if (made.status != 202 || outcome(made.job()) != "Complete")
    throw std::runtime_error{"no guest was made: " + made.body};
  return text_at(made.body, "id");
}

std::string house::ended(const std::string& job) const {
  std::string last;
  eventually([&] {
    const auto polled = http.get("/jobs/" + job);
    last = polled.body;
    return polled.status != 200 || has_ended(text_at(last, "Status"));
  });
  return last;
}

bool house::becomes(const std::string& job, std::string_view status) const {
  return eventually([&] { return text_at(http.get("/jobs/" + job).body, "Status") == status; });
}

bool house::healthy() {
  return agent.alive() && http.get("/guests").status == 200 && http.get("/metadata").status == 200;
}

std::string error_message(const response& answer) {
  INFO(answer.body);
  CHECK(answer.header("content-type") == "application/json");
  CHECK(answer.body.ends_with("}\n"));
  CHECK(at(answer.body, "code") == std::to_string(answer.status));
  CHECK(count(answer.body, "stack") > 0);
  for (const auto& frame : elements(answer.body, "stack"))
    CHECK_FALSE(frame.starts_with("\"/"));
  CHECK(answer.job().empty());
  return text_at(answer.body, "message");
}

} // namespace mistify::test
