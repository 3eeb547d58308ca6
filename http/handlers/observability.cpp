#include "http/exposition.hpp"
#include "http/handlers/handlers.hpp"

namespace mistify::http::handlers {

/// Asks nobody: it answers whatever hangs.
task<answer> get_agent_metrics(context& cx, request) {
  answer out;
  out.content_type = exposition::content_type;
  out.body = render(cx.measured);
  co_return out;
}

} // namespace mistify::http::handlers
