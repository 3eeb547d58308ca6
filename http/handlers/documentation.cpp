#include "http/handlers/common.hpp"
#include "http/handlers/handlers.hpp"
#include "http/openapi.hpp"
#include "http/pages.hpp"
#include "http/routes.hpp"

namespace mistify::http::handlers {

/// Put together once, when it is first asked for.
task<answer> get_description(context&, request) {
  static const std::string text = api_description{api_parts}.of(routes());
  co_return json_answer(200, text);
}

task<answer> get_docs(context&, request) {
  co_return page_answer(pages::docs);
}

} // namespace mistify::http::handlers
