#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/running_config.hpp"

// The config as it is read.
namespace mistify::http::handlers {

task<answer> get_config(context& cx, request&) {
  co_return json_answer(200, cx.config.json());
}

} // namespace mistify::http::handlers
