#include "rpc/kit/dispatcher.hpp"

#include "rpc/base/error.hpp"
#include "rpc/model/codec.hpp"

namespace mistify::rpc {

namespace {

[[noreturn]] void refuse(std::string why) {
  throw failure{errc::invalid_request, "rpc: " + std::move(why)};
}

const json::node& only_param(const json::node& call) {
  const auto* params = call.find("params");
  if (!params || params->type() != json::node::kind::array)
    refuse("params must be an array of one object");
  const auto items = params->items("params");
  if (items.size() != 1 || items[0].get().type() != json::node::kind::object)
    refuse("params must be an array of one object");
  return items[0];
}

std::string method_of(const json::node& call) {
  const auto* method = call.find("method");
  return method ? method->as_string("method") : std::string{};
}

std::string envelope(std::string_view result, std::string_view error, std::string_view id) {
  json::writer w;
  w.begin_object().key("result").raw(result).key("error").raw(error).key("id").raw(id).end_object();
  return std::move(w).str();
}

std::string quoted(std::string_view text) {
  json::writer w;
  w.value(text);
  return std::move(w).str();
}

/// The text, or an object with the code where it is one that a sub-agent may say.
std::string error_of(const failure& e) {
  const auto code = code_of(e.code());
  if (code == job_code::failed || code == job_code::cancelled)
    return quoted(e.what());
  json::writer w;
  w.begin_object().key("code").value(to_string(code)).key("message").value(e.message()).end_object();
  return std::move(w).str();
}

} // namespace

std::string dispatcher::answer(std::string_view body, const asker& who) const {
  const auto document = json::document::parse(body);
  const auto& call = document.root();
  if (call.type() != json::node::kind::object)
    refuse("request must be an object");
  const auto method = method_of(call);
  const auto found = methods_.find(method);
  if (found == methods_.end())
    refuse("can't find method " + quoted(method));
  const auto run = found->second(only_param(call));
  const auto* id = call.find("id");
  const auto id_text = id ? id->text() : "null";
  try {
    return envelope(run(who), "null", id_text);
  } catch (const failure& e) {
    return envelope("null", error_of(e), id_text);
  } catch (const std::exception& e) {
    return envelope("null", quoted(e.what()), id_text);
  }
}

} // namespace mistify::rpc
