#include "rpc/base/error.hpp"

#include <utility>

namespace mistify::rpc {

namespace {

/// "rpc/base/json.cpp:120 parse": the function without its signature, the file without the build machine's folders.
/// The build removes those, except for the leading "../" of paths that ccache makes relative (its `base_dir`).
std::string frame_of(const std::source_location& where) {
  std::string_view file = where.file_name();
  while (file.starts_with("../"))
    file.remove_prefix(3);
  std::string_view name = where.function_name();
  name = name.substr(0, name.find('('));
  if (auto space = name.rfind(' '); space != std::string_view::npos)
    name.remove_prefix(space + 1);
  return std::string{file} + ':' + std::to_string(where.line()) + ' ' + std::string{name};
}

} // namespace

std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::none: return "none";
  case errc::invalid_request: return "invalid_request";
  case errc::forbidden: return "forbidden";
  case errc::too_large: return "too_large";
  case errc::not_found: return "not_found";
  case errc::not_configured: return "not_configured";
  case errc::method_not_allowed: return "method_not_allowed";
  case errc::conflict: return "conflict";
  case errc::precondition_failed: return "precondition_failed";
  case errc::queue_full: return "queue_full";
  case errc::sub_agent_failed: return "sub_agent_failed";
  case errc::sub_agent_timeout: return "sub_agent_timeout";
  case errc::sub_agent_unreachable: return "sub_agent_unreachable";
  case errc::sub_agent_refused: return "sub_agent_refused";
  case errc::sub_agent_not_found: return "sub_agent_not_found";
  case errc::sub_agent_conflict: return "sub_agent_conflict";
  case errc::sub_agent_in_use: return "sub_agent_in_use";
  case errc::sub_agent_no_space: return "sub_agent_no_space";
  case errc::sub_agent_no_memory: return "sub_agent_no_memory";
  case errc::insufficient_space: return "insufficient_space";
  case errc::storage_failed: return "storage_failed";
  case errc::unavailable: return "unavailable";
  case errc::deadline_exceeded: return "deadline_exceeded";
  case errc::cancelled: return "cancelled";
  case errc::config_invalid: return "config_invalid";
  case errc::internal: return "internal";
  }
  return "unknown";
}

failure::failure(errc code, std::string message, std::source_location where)
  : code_{code}, message_{std::move(message)}, stack_{frame_of(where)} {}

failure::failure(errc code, std::string message, std::vector<std::string> stack)
  : code_{code}, message_{std::move(message)}, stack_{std::move(stack)} {}

failure& failure::through(std::string boundary) {
  stack_.push_back(std::move(boundary));
  return *this;
}

} // namespace mistify::rpc
