#include "rpc/agents/container/engine.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>

namespace mistify::agents::container {

namespace {

namespace json = rpc::json;

constexpr std::size_t longest_line = 256 * 1024;
constexpr std::size_t longest_reason = 1024;
constexpr std::string_view version = "/v1.41";

/// For a message: one line.
std::string plain(std::string_view text) {
  auto cut = rpc::cut_text(text, longest_reason);
  std::ranges::replace_if(
    cut, [](char c) { return rpc::text::is_control(c); }, ' ');
  while (cut.ends_with(' '))
    cut.pop_back();
  return cut;
}

std::optional<json::document> parse(std::string_view text) {
  try {
    return json::document::parse(text);
  } catch (const rpc::failure&) {
    return std::nullopt;
  }
}

std::string text_member(const json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  return found && found->type() == json::node::kind::string ? found->as_string(name) : std::string{};
}

/// The reason in an answer, "" if there is none.
std::string reason_in(const std::string& body) {
  if (const auto document = parse(body))
    return plain(text_member(document->root(), "message"));
  return plain(body);
}

[[noreturn]] void refuse(const engine_answer& answer) {
  auto reason = reason_in(answer.body);
  if (reason.empty())
    reason = "the container engine answered " + std::to_string(answer.status);
  throw engine_error{reason, answer.status};
}

bool is_fine(int status) {
  return (status >= 200 && status < 300) || status == 304;
}

json::document need_json(const engine_answer& answer) {
  auto document = parse(answer.body);
  if (!document)
    throw engine_error{"the container engine's answer is no JSON"};
  return std::move(*document);
}

/// "" if the line reports no error.
std::string error_in(const json::node& line) {
  if (const auto* detail = line.find("errorDetail"))
    if (auto text = text_member(*detail, "message"); !text.empty())
      return plain(text);
  return plain(text_member(line, "error"));
}

} // namespace

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = rpc::text::is_digit(c) || (rpc::text::lower(c) >= 'a' && rpc::text::lower(c) <= 'z') ||
                          c == '-' || c == '_' || c == '.' || c == '~';
    if (is_plain)
      out += c;
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

std::string filter_of(std::string_view key, std::string_view value) {
  json::writer w;
  w.begin_object().key(key).begin_array().value(value).end_array().end_object();
  return "filters=" + escaped(w.str());
}

// -- lines -----------------------------------------------------------------------------------------------------------

void json_lines::take(std::string_view line) {
  if (const auto document = parse(line))
    f_(document->root());
}

void json_lines::add(std::string_view bytes) {
  for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
    held_ += bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    const auto line = std::exchange(held_, {});
    take(line);
  }
  held_ += bytes;
  if (held_.size() > longest_line)
    throw engine_error{"a line of the container engine's answer is too long"};
}

void json_lines::end() {
  const auto line = std::exchange(held_, {});
  if (!line.empty())
    take(line);
}

// -- calls -----------------------------------------------------------------------------------------------------------

rpc::json::document engine::get(const std::string& path) {
  const auto answer = transfer_.run({.path = std::string{version} + path});
  if (!is_fine(answer.status))
    refuse(answer);
  return need_json(answer);
}

std::optional<rpc::json::document> engine::find(const std::string& path) {
  try {
    return get(path);
  } catch (const engine_error& e) {
    if (e.status() == 404)
      return std::nullopt;
    throw;
  }
}

std::optional<rpc::json::document> engine::post(const std::string& path, std::string body,
                                                std::chrono::milliseconds time) {
  const auto answer =
    transfer_.run({.method = "POST", .path = std::string{version} + path, .body = std::move(body), .time = time});
  if (!is_fine(answer.status))
    refuse(answer);
  if (answer.body.find_first_not_of(" \r\n") == answer.body.npos)
    return std::nullopt;
  return parse(answer.body); // podman sends texts that are no JSON beside a status that says all
}

bool engine::act(const std::string& path, std::chrono::milliseconds time) {
  const auto answer = transfer_.run({.method = "POST", .path = std::string{version} + path, .time = time});
  if (!is_fine(answer.status))
    refuse(answer);
  return answer.status != 304;
}

void engine::remove(const std::string& path, std::chrono::milliseconds time) {
  const auto answer = transfer_.run({.method = "DELETE", .path = std::string{version} + path, .time = time});
  if (!is_fine(answer.status) && answer.status != 404)
    refuse(answer);
}

void engine::follow_progress(engine_request request, const std::function<void(const json::node& line)>& on_line) {
  std::string error;
  json_lines lines{[&](const json::node& line) {
    if (on_line)
      on_line(line);
    if (auto reported = error_in(line); !reported.empty())
      error = std::move(reported);
  }};
  request.data = [&](std::string_view bytes) {
    lines.add(bytes);
    return true;
  };
  stream(std::move(request));
  lines.end();
  if (!error.empty())
    throw engine_error{error, 500};
}

void engine::stream(engine_request request) {
  request.path.insert(0, version);
  const auto answer = transfer_.run(request);
  if (!is_fine(answer.status))
    refuse(answer);
}

} // namespace mistify::agents::container
