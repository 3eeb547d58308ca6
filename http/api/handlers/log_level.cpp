#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/log.hpp"

// The level of the log, changed at run time.
namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

answer level_answer() {
  rpc::json::writer out;
  out.begin_object().key("level").value(rpc::log::level()).end_object();
  return json_answer(200, std::move(out).str());
}

} // namespace

task<answer> get_log_level(context&, request&) {
  co_return level_answer();
}

task<answer> set_log_level(context&, request& from) {
  const auto wish = rpc::json::document::parse(from.body);
  wish.root().members("body"); // throws unless it is an object
  const auto* level = wish.root().find("level");
  if (!level || !rpc::log::set_level(level->as_string("level")))
    throw failure{errc::invalid_request, "level: must be debug, info, warning, error, critical or fatal"};
  co_return level_answer();
}

} // namespace mistify::http::handlers
