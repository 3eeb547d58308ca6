#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/openapi.hpp"
#include "http/api/routes.hpp"
#include "http/pages.hpp"

namespace mistify::http::handlers {

/// Built once, at the first request.
task<answer> get_description(context&, request&) {
  static const std::string text = api_description{api_parts}.of(routes());
  co_return json_answer(200, text);
}

task<answer> get_docs(context&, request&) {
  co_return page_answer(pages::docs);
}

task<answer> get_page_part(context&, request& from) {
  struct part {
    std::string_view name, text, type;
  };
  constexpr std::string_view style = "text/css; charset=utf-8", script = "text/javascript; charset=utf-8";
  for (const auto& [name, text, type] :
       {part{"actors.css", pages::actors_style, style}, part{"actors.js", pages::actors_script, script},
        part{"docs.css", pages::docs_style, style}, part{"docs.js", pages::docs_script, script}})
    if (from.captures["file"] == name)
      co_return page_part(text, type);
  throw rpc::failure{rpc::errc::not_found, "not found"};
}

} // namespace mistify::http::handlers
