#include "http/api/openapi.hpp"

#include "http/api/routes.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace mistify::http;
using mistify::rpc::json::document;
using mistify::rpc::json::node;

namespace {

const node& at(const node& from, const std::vector<std::string_view>& path) {
  const node* found = &from;
  for (const auto key : path) {
    INFO(key);
    found = found->find(key);
    REQUIRE(found);
  }
  return *found;
}

std::string name_of(const route& row) {
  return std::string{row.method} + ' ' + std::string{row.pattern};
}

/// Every "$ref" in a text.
std::set<std::string> references(const std::string& text) {
  constexpr std::string_view mark = R"("$ref":")";
  std::set<std::string> found;
  for (auto begin = text.find(mark); begin != text.npos; begin = text.find(mark, begin + 1)) {
    const auto from = begin + mark.size();
    found.insert(text.substr(from, text.find('"', from) - from));
  }
  return found;
}

const std::string& described() {
  static const std::string text = api_description{api_parts}.of(routes());
  return text;
}

} // namespace

TEST_CASE("every row of the table is described in http/api, and nothing else is") {
  const auto described_rows = api_description{api_parts}.operations();
  std::vector<std::string> rows;
  for (const auto& row : routes())
    rows.push_back(name_of(row));
  std::sort(rows.begin(), rows.end());
  CHECK(described_rows == rows);
}

TEST_CASE("what the description refers to is there") {
  const auto document = document::parse(described());
  for (const auto& reference : references(described())) {
    INFO(reference);
    REQUIRE(reference.starts_with("#/components/"));
    const auto kind = reference.substr(13, reference.find('/', 13) - 13);
    const auto& some = at(document.root(), {"components", kind});
    CHECK(some.find(reference.substr(14 + kind.size())));
  }
}

TEST_CASE("an operation has the row's captures as parameters and what any request has") {
  constexpr std::string_view part = R"({
    "info": {"title": "T"}, "tag": "Things",
    "operations": {"GET /things/{thing}": {
      "summary": "One thing",
      "parameters": [{"name": "limit", "in": "query"}],
      "responses": {"200": {"description": "It"}, "503": {"description": "Not now", "headers": {"Retry-After": {}}}},
      "errors": [404]
    }},
    "components": {"schemas": {"A": {}}}
  })";
  constexpr std::string_view other = R"({"components": {"schemas": {"B": {}}}})";
  const std::vector<std::string_view> parts{part, other};
  const auto text = api_description{parts}.of({{"GET", "/things/{thing}", mistify::actors::scope::debug, nullptr},
                                               {"POST", "/things/{thing}", mistify::actors::scope::debug, nullptr}});
  const auto document = document::parse(text);
  const auto& path = at(document.root(), {"paths", "/things/{thing}"});
  CHECK(path.members("").size() == 1); // the POST is not described
  const auto& operation = at(path, {"get"});
  CHECK(at(operation, {"tags"}).text() == R"(["Things"])");
  CHECK(at(operation, {"summary"}).text() == R"("One thing")");
  CHECK(at(operation, {"parameters"}).text() ==
        R"([{"$ref":"#/components/parameters/thing"},{"name":"limit","in":"query"},)"
        R"({"$ref":"#/components/parameters/X-Request-ID"}])");
  const auto& answers = at(operation, {"responses"});
  CHECK(at(answers, {"200", "description"}).text() == R"("It")");
  CHECK(at(answers, {"503", "description"}).text() == R"("Not now")");
  CHECK(at(answers, {"503", "headers"}).text() ==
        R"({"X-Request-ID":{"$ref":"#/components/headers/X-Request-ID"},"Retry-After":{}})");
  for (const auto* status : {"400", "403", "404", "408", "413", "431", "500"})
    CHECK(at(answers, {status, "$ref"}).text() == std::string{"\"#/components/responses/"} + status + '"');
  CHECK_FALSE(operation.find("errors"));
  CHECK(at(document.root(), {"components", "schemas"}).text() == R"({"A":{},"B":{}})");
  CHECK(at(document.root(), {"info", "version"}).text() == "\"" MISTIFY_VERSION "\"");
}

TEST_CASE("a route's description has the query parameters that the route knows, and no other") {
  const auto document = document::parse(described());
  for (const auto& row : routes()) {
    if (row.query == "*")
      continue;
    INFO(name_of(row));
    std::string method{row.method};
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::tolower(c); });
    std::set<std::string> told, known;
    for (const node& one : at(document.root(), {"paths", row.pattern, method, "parameters"}).items("parameters")) {
      const auto* reference = one.find("$ref");
      const auto name =
        reference ? reference->as_string("").substr(std::string{"#/components/parameters/"}.size()) : "";
      const auto& parameter = reference ? at(document.root(), {"components", "parameters", name}) : one;
      if (at(parameter, {"in"}).as_string("") == "query")
        told.insert(at(parameter, {"name"}).as_string(""));
    }
    for (auto rest = row.query; !rest.empty(); rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1))) {
      known.insert(std::string{rest.substr(0, rest.find(' '))});
      if (rest.find(' ') == rest.npos)
        break;
    }
    CHECK(told == known);
  }
}

TEST_CASE("no two parts describe the same operation or component") {
  std::set<std::string> seen;
  for (const auto text : api_parts) {
    const auto part = document::parse(text);
    if (const auto* operations = part.root().find("operations"))
      for (const auto& [name, operation] : operations->members(""))
        CHECK(seen.insert(std::string{name}).second);
    if (const auto* components = part.root().find("components"))
      for (const auto& [kind, some] : components->members(""))
        for (const auto& [name, component] : some.members(""))
          CHECK(seen.insert(std::string{kind} + '/' + std::string{name}).second);
  }
}
