#include "http/api/openapi.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <set>

namespace mistify::http {

namespace {

using rpc::json::node;
using rpc::json::writer;

/// Statuses that the server sends before a handler runs, or for a fault of the agent.
constexpr int for_any_request[] = {400, 408, 413, 414, 417, 421, 429, 431, 500, 503};

/// A header of every request and response.
constexpr std::string_view request_id = "X-Request-ID";

void write_all_but(std::initializer_list<std::string_view> left_out, const node& from, writer& out) {
  for (const auto& [key, value] : from.members("description"))
    if (std::find(left_out.begin(), left_out.end(), key) == left_out.end())
      out.key(key).raw(value.text());
}

void write_reference(const std::string& kind, std::string_view name, writer& out) {
  out.begin_object().key("$ref").value("#/components/" + kind + '/' + std::string{name}).end_object();
}

std::string lower_case(std::string_view text) {
  std::string lower{text};
  std::transform(lower.begin(), lower.end(), lower.begin(), rpc::text::lower);
  return lower;
}

/// Writes a parameter for each capture of the row, then the operation's own parameters, then the common ones.
void write_parameters(const route& row, const node& operation, writer& out) {
  out.key("parameters").begin_array();
  for (auto at = row.pattern.find('{'); at != row.pattern.npos; at = row.pattern.find('{', at + 1))
    write_reference("parameters", row.pattern.substr(at + 1, row.pattern.find('}', at) - at - 1), out);
  if (const auto* own = operation.find("parameters"))
    for (const node& parameter : own->items("parameters"))
      out.raw(parameter.text());
  write_reference("parameters", request_id, out);
  out.end_array();
}

std::set<std::string> errors_of(const route& row, const node& operation) {
  std::set<std::string> errors;
  for (const int status : for_any_request)
    errors.insert(std::to_string(status));
  if (row.asks.what() != requirement::kind::nothing) {
    errors.insert("401");
    errors.insert("403");
  }
  if (const auto* own = operation.find("errors"))
    for (const node& status : own->items("errors"))
      errors.insert(status.text());
  return errors;
}

/// Writes a response with the common headers.
void write_response(const node& response, writer& out) {
  if (response.find("$ref")) {
    out.raw(response.text());
    return;
  }
  out.begin_object();
  write_all_but({"headers"}, response, out);
  out.key("headers").begin_object();
  write_reference("headers", request_id, out.key(request_id));
  if (const auto* own = response.find("headers"))
    write_all_but({}, *own, out);
  out.end_object().end_object();
}

void write_responses(const route& row, const node& operation, writer& out) {
  out.key("responses").begin_object();
  const auto* own = operation.find("responses");
  if (own)
    for (const auto& [status, response] : own->members("responses"))
      write_response(response, out.key(status));
  for (const auto& status : errors_of(row, operation))
    if (!own || !own->find(status))
      write_reference("responses", status, out.key(status));
  out.end_object();
}

void write_operation(const route& row, const std::string& tag, const node& operation, writer& out) {
  out.begin_object().key("tags").begin_array().value(tag).end_array();
  write_all_but({"parameters", "responses", "errors"}, operation, out);
  write_parameters(row, operation, out);
  write_responses(row, operation, out);
  out.end_object();
}

} // namespace

api_description::api_description(std::span<const std::string_view> parts) {
  for (const auto text : parts) {
    const auto& part = parts_.emplace_back(rpc::json::document::parse(text)).root();
    if (part.find("info"))
      whole_ = &part;
    if (const auto* operations = part.find("operations"))
      for (const auto& [name, operation] : operations->members("operations"))
        operations_[std::string{name}] = {part.find("tag")->as_string("tag"), &operation};
    if (const auto* components = part.find("components"))
      for (const auto& [kind, some] : components->members("components"))
        components_[std::string{kind}].push_back(&some);
  }
}

std::vector<std::string> api_description::operations() const {
  std::vector<std::string> names;
  for (const auto& [name, operation] : operations_)
    names.push_back(name);
  return names;
}

std::string api_description::of(const std::vector<route>& table) const {
  writer out;
  out.begin_object().key("openapi").value("3.1.0");
  out.key("info").begin_object();
  write_all_but({}, *whole_->find("info"), out);
  out.key("version").value(MISTIFY_VERSION).end_object();
  write_all_but({"info", "components"}, *whole_, out);
  write_paths(out, table);
  write_components(out);
  out.end_object();
  return std::move(out).str();
}

/// All methods of a path are members of one object.
void api_description::write_paths(writer& out, const std::vector<route>& table) const {
  std::set<std::string_view> written;
  out.key("paths").begin_object();
  for (const auto& first : table) {
    if (!written.insert(first.pattern).second)
      continue;
    out.key(first.pattern).begin_object();
    for (const auto& row : table) {
      const auto found = operations_.find(std::string{row.method} + ' ' + std::string{row.pattern});
      if (row.pattern == first.pattern && found != operations_.end())
        write_operation(row, found->second.tag, *found->second.text, out.key(lower_case(row.method)));
    }
    out.end_object();
  }
  out.end_object();
}

void api_description::write_components(writer& out) const {
  out.key("components").begin_object();
  for (const auto& [kind, parts] : components_) {
    out.key(kind).begin_object();
    for (const auto* some : parts)
      for (const auto& [name, component] : some->members(kind))
        if (kind == "responses")
          write_response(component, out.key(name));
        else
          out.key(name).raw(component.text());
    out.end_object();
  }
  out.end_object();
}

} // namespace mistify::http
