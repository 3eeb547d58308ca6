#include "http/api/error_map.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/json.hpp"
#include "rpc/client/client.hpp"

#include <utility>

namespace mistify::http {

using rpc::errc;
using rpc::failure;

int status_of(errc code) noexcept {
  switch (code) {
  case errc::invalid_request: return 400;
  case errc::forbidden: return 403;
  case errc::not_found: return 404;
  case errc::not_configured: return 404;
  case errc::method_not_allowed: return 405;
  case errc::conflict: return 409;
  case errc::precondition_failed: return 412;
  case errc::too_large: return 413;
  case errc::queue_full: return 429;
  case errc::internal: return 500;
  case errc::config_invalid: return 500;
  case errc::none: return 500;
  case errc::sub_agent_failed: return 502;
  case errc::sub_agent_timeout: return 502;
  case errc::sub_agent_unreachable: return 502;
  case errc::sub_agent_refused: return 400;
  case errc::sub_agent_not_found: return 404;
  case errc::sub_agent_conflict: return 409;
  case errc::sub_agent_in_use: return 409;
  case errc::sub_agent_no_space: return 507;
  case errc::sub_agent_no_memory: return 507;
  case errc::insufficient_space: return 507;
  case errc::storage_failed: return 503;
  case errc::unavailable: return 503;
  case errc::cancelled: return 503;
  case errc::deadline_exceeded: return 504;
  }
  return 500;
}

namespace {

/// The maximum length of an error message in bytes: it may quote a client or a sub-agent.
constexpr std::size_t longest_message = 4096;

/// Returns after how many seconds a client may retry; null if a retry does not help.
const char* retry_after(int status) {
  return status == 429 || status == 503 ? "1" : nullptr;
}

} // namespace

answer error_answer(int status, const failure& why) {
  rpc::json::writer body;
  body.begin_object()
    .key("message")
    .value(rpc::cut_text(why.message(), longest_message))
    .key("code")
    .value(status)
    .key("stack")
    .begin_array();
  for (const auto& frame : why.stack())
    body.value(frame);
  body.end_array().end_object();
  answer out;
  out.status = status;
  out.body = std::move(body).str() + '\n';
  if (const auto* seconds = retry_after(status))
    out.headers.emplace_back("Retry-After", seconds);
  return out;
}

answer error_answer(const failure& why) {
  return error_answer(status_of(why.code()), why);
}

answer error_answer(int status, const std::string& message) {
  return error_answer(status, failure{errc::invalid_request, message, std::vector<std::string>{"http/server"}});
}

answer method_not_allowed(std::string allowed) {
  auto refusal = error_answer(failure{errc::method_not_allowed, "method not allowed"});
  refusal.headers.emplace_back("Allow", std::move(allowed));
  return refusal;
}

answer error_answer(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const rpc::download_refused& e) {
    return error_answer(e.status(), e);
  } catch (const failure& e) {
    return error_answer(e);
  } catch (const std::exception& e) {
    return error_answer(failure{errc::internal, std::string{"internal error: "} + e.what()});
  } catch (...) {
    return error_answer(failure{errc::internal, "internal error"});
  }
}

} // namespace mistify::http
