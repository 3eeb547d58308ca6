#include "http/handlers/common.hpp"
#include "http/handlers/handlers.hpp"
#include "http/openapi.hpp"
#include "http/routes.hpp"

namespace mistify::http::handlers {

/// Put together once, when it is first asked for.
task<answer> get_description(context&, request) {
  static const std::string text = api_description{api_parts}.of(routes());
  co_return json_answer(200, text);
}

} // namespace mistify::http::handlers
