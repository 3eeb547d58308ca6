#include "actors/config/config.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <string>

using namespace mistify;
using namespace mistify::fuzz;

namespace {

/// A NUL byte, which no JSON text holds, ends one file and begins the next.
std::vector<std::pair<std::string, std::string>> files_in(std::string_view bytes) {
  std::vector<std::pair<std::string, std::string>> files;
  for (;;) {
    const auto end = std::min(bytes.find('\0'), bytes.size());
    files.emplace_back(std::to_string(files.size()) + ".json", bytes.substr(0, end));
    if (end == bytes.size())
      return files;
    bytes.remove_prefix(end + 1);
  }
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

actors::config parse(std::string_view bytes) {
  try {
    return actors::parse_config(files_in(bytes));
  } catch (const rpc::failure& refusal) {
    demand(is_one_line(refusal.message()), "a refusal is one line");
    throw;
  }
}

void check_action(const actors::config& config, const actors::action& action) {
  demand(action.kind != nullptr, "an action is of a kind");
  demand(action.kind->type != actors::action_type::stream || action.stages.size() <= 1, "a stream has one stage");
  for (const auto& stage : action.stages) {
    demand(config.services.contains(stage.service), "a stage calls a service that is configured");
    demand(!stage.method.empty(), "a stage calls a method");
    demand(stage.timeout.count() >= 0, "no time-out is negative");
  }
}

void check_service(const actors::service& service) {
  demand(service.port != 0, "a service has a port");
  demand(service.path.starts_with('/'), "a path begins with a slash");
  demand(is_one_line(service.path), "a path fits a request line");
  demand(service.max_pending > 0, "a service takes calls");
  demand(service.connect_timeout.count() >= 0, "no time-out is negative");
}

} // namespace

// Configs that are taken keep what the rest of the agent relies on.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto config = unless_refused(rpc::errc::config_invalid, [&] { return parse(text_of(data, size)); });
  if (!config)
    return 0;
  for (const auto& [name, action] : config->actions)
    check_action(*config, *action);
  for (const auto& [name, service] : config->services)
    check_service(service);
  demand(!config->dbpath.empty(), "there is a database");
  demand(config->limit.queue > 0 && config->http.max_connections > 0, "no limit is nothing at all");
  return 0;
}
