#include "rpc/model/codec.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/model/codec_fields.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mistify::rpc {

namespace {

/// How much of a wrong id an error quotes, in bytes.
constexpr std::size_t longest_id = 64;

/// Runs `read` on a sub-agent's answer and turns `invalid_request` into `sub_agent_failed`.
template <class Read>
auto reading_answer(Read read) {
  try {
    return read();
  } catch (const failure& f) {
    throw failure{errc::sub_agent_failed, "unparsable answer: " + f.message(), f.stack()};
  }
}

void put_args(json::writer& out, const metadata_map& args) {
  if (!args.empty())
    wire::write(out.key("args"), args);
}

/// A member of the error if it is a text, else empty.
std::string text_in(const json::node& error, std::string_view name) {
  const auto* member = error.type() == json::node::kind::object ? error.find(name) : nullptr;
  return member && member->type() == json::node::kind::string ? member->as_string(name) : std::string{};
}

/// The text of a JSON-RPC error. An empty error is still an error, and the job's message must not be empty.
std::string error_text(const json::node& error) {
  if (error.type() != json::node::kind::string) {
    auto message = text_in(error, "message");
    return message.empty() ? error.text() : message;
  }
  auto text = error.as_string("error");
  return text.empty() ? "error without a text" : text;
}

/// What sub-agents may say by a code. Codes that only the agent can know are not among them.
errc errc_of(std::string_view code) {
  static constexpr std::pair<std::string_view, errc> known[] = {
    {"timeout", errc::sub_agent_timeout},     {"unreachable", errc::sub_agent_unreachable},
    {"refused", errc::sub_agent_refused},     {"no_space", errc::sub_agent_no_space},
    {"no_memory", errc::sub_agent_no_memory}, {"not_found", errc::sub_agent_not_found},
    {"conflict", errc::sub_agent_conflict},   {"in_use", errc::sub_agent_in_use}};
  const auto* found = std::ranges::find(known, code, &std::pair<std::string_view, errc>::first);
  return found == std::end(known) ? errc::sub_agent_failed : found->second;
}

/// Sub-agents of the original say by fixed texts what is wrong.
errc errc_of_text(std::string_view text) {
  if (text == "not found" || text == "no such image")
    return errc::sub_agent_not_found;
  return text == "no space left on device" ? errc::sub_agent_no_space : errc::sub_agent_failed;
}

failure failure_of(const json::node& error) {
  auto text = error_text(error);
  const auto code = error.type() == json::node::kind::string ? errc_of_text(text) : errc_of(text_in(error, "code"));
  return {code, std::move(text)};
}

void expect_id(const json::node& answer, std::uint64_t asked) {
  const auto* id = answer.find("id");
  if (id == nullptr || id->is_null())
    return;
  // Compared as doubles: some languages know no other numbers, and write 7 as 7.0.
  const auto number = id->type() == json::node::kind::number ? reading_answer([&] { return id->as_double("id"); }) : -1;
  if (number != 0 && number != static_cast<double>(asked))
    throw failure{errc::sub_agent_failed, "answer to another call: its id is " + cut_text(id->text(), longest_id) +
                                            ", not " + std::to_string(asked)};
}

} // namespace

std::string encode_call(std::string_view method, std::string_view params, std::uint64_t id) {
  json::writer out;
  out.begin_object().key("method").value(method);
  out.key("params").begin_array().raw(params).end_array();
  out.key("id").value(id).end_object();
  return std::move(out).str();
}

json::document decode_answer(std::string_view body, std::uint64_t id) {
  auto answer = reading_answer([&] { return json::document::parse(body); });
  if (answer.root().type() != json::node::kind::object)
    throw failure{errc::sub_agent_failed, "unparsable answer: must be an object"};
  expect_id(answer.root(), id);
  return answer;
}

json::document result_in(const json::document& answer) {
  const auto& root = answer.root();
  if (const auto* error = root.find("error"); error != nullptr && !error->is_null())
    throw failure_of(*error);
  const auto* result = root.find("result");
  if (result == nullptr || result->is_null())
    throw failure{errc::sub_agent_failed, "empty result"};
  return answer.part(*result);
}

std::string encode_guest_request(std::string_view guest, std::string_view action, const metadata_map& args,
                                 std::string_view params, bool again) {
  json::writer out;
  out.begin_object().key("guest").raw(guest).key("action").value(action);
  put_args(out, args);
  if (!params.empty())
    out.key("params").raw(params);
  if (again)
    out.key("again").value(true);
  return std::move(out.end_object()).str();
}

std::string encode_metrics_request(std::string_view guest, std::string_view type, const metadata_map& args) {
  json::writer out;
  out.begin_object().key("guest").raw(guest).key("type").value(type);
  put_args(out, args);
  return std::move(out.end_object()).str();
}

std::string with_args(std::string_view request, const metadata_map& args) {
  if (args.empty())
    return std::string{request};
  const auto parsed = json::document::parse(request);
  json::writer out;
  out.begin_object();
  // Replaces the client's own `args`: some readers would merge two members of one name.
  for (const auto& [key, value] : parsed.root().members("request"))
    if (key != "args")
      out.key(key).raw(value.text());
  put_args(out, args);
  return std::move(out.end_object()).str();
}

stage_result decode_stage_result(const json::node& from) {
  stage_result result;
  reading_answer([&] {
    if (from.type() != json::node::kind::object)
      throw failure{errc::sub_agent_failed, "result: must be an object"};
    if (const auto* returned = from.find("guest"); returned != nullptr && !returned->is_null())
      result.returned = wire::decode_guest(*returned, "guest");
    if (const auto* message = from.find("message"))
      result.message = message->as_string("message");
    if (const auto* retry = from.find("retry"))
      result.retry_seconds = retry->as_uint("retry");
  });
  return result;
}

} // namespace mistify::rpc
