#include "http/api/running_config.hpp"

#include "rpc/base/json.hpp"

#include <algorithm>
#include <array>

namespace mistify::http {

namespace {

std::vector<std::string> names_of(const actors::config_texts& files) {
  std::vector<std::string> names;
  for (const auto& [name, text] : files)
    names.push_back(name);
  return names;
}

void write_list(rpc::json::writer& out, std::string_view key, const std::vector<std::string>& texts) {
  out.key(key).begin_array();
  for (const auto& text : texts)
    out.value(text);
  out.end_array();
}

} // namespace

bool applies_while_running(std::string_view member) {
  constexpr std::array<std::string_view, 9> applied{"access", "actions",  "debug", "drain_timeout", "limits",
                                                    "log",    "services", "tls",   "reports"};
  return member == "http.get_actions" ||
         std::ranges::find(applied, member.substr(0, member.find('.'))) != applied.end();
}

running_config::running_config(const actors::config_texts& files)
  : at_start_{actors::merge_config(files)}, now_{at_start_}, files_{names_of(files)} {}

std::vector<std::string> running_config::read_again(const actors::config_texts& files) {
  auto now = actors::merge_config(files);
  auto waiting = actors::config_differences(at_start_, now);
  std::erase_if(waiting, applies_while_running);
  const std::lock_guard lock{mutex_};
  now_ = std::move(now);
  files_ = names_of(files);
  restart_needed_ = waiting;
  return waiting;
}

std::string running_config::json() const {
  const std::lock_guard lock{mutex_};
  rpc::json::writer out;
  out.begin_object().key("config").raw(now_);
  write_list(out, "files", files_);
  write_list(out, "restart_needed", restart_needed_);
  out.end_object();
  return std::move(out).str();
}

} // namespace mistify::http
