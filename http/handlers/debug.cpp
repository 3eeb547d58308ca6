#include "http/handlers/common.hpp"
#include "http/handlers/handlers.hpp"

namespace mistify::http::handlers {

/// As Go's net/http/pprof has it: the arguments joined by NUL bytes.
task<answer> get_command_line(context& cx, request) {
  answer out;
  out.content_type = "text/plain; charset=utf-8";
  for (const auto& argument : cx.command_line)
    out.body += (out.body.empty() ? std::string{} : std::string(1, '\0')) + argument;
  co_return out;
}

} // namespace mistify::http::handlers
