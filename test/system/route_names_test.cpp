#include "house.hpp"

#include "rpc/base/json.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

using namespace mistify::test;

namespace {

struct call_of_route {
  std::string method, pattern;
};

/// The routes whose paths have segments in braces, from the description that the agent makes of its own table.
std::vector<call_of_route> routes_with_captures(const http_client& http) {
  std::vector<call_of_route> found;
  const auto description = mistify::rpc::json::document::parse(http.get("/openapi.json").body);
  for (const auto& [pattern, methods] : description.root().find("paths")->members("paths"))
    if (pattern.find('{') != pattern.npos)
      for (const auto& [method, operation] : methods.members("path")) {
        std::string upper{method};
        std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
        found.push_back({std::move(upper), std::string{pattern}});
      }
  return found;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  if (const auto at = text.find(what); at != text.npos)
    text.replace(at, what.size(), by);
  return text;
}

/// A body that the handler accepts, so that it goes on to the segments of the path.
std::string body_for(const call_of_route& route) {
  static const std::map<std::string, std::string> bodies{
    {"PUT /guests/{guest}/state", R"({"state":"running"})"},
    {"PUT /jobs/{job}/progress", R"({"message":"half"})"},
    {"POST /guests/{guest}/disks/{disk}/resize", R"({"size":2048})"},
    {"POST /guests/{guest}/disks", R"({"size":1024})"},
  };
  const auto found = bodies.find(route.method + ' ' + route.pattern);
  return found != bodies.end() ? found->second : route.method == "POST" || route.method == "PATCH" ? "{}" : "";
}

} // namespace

TEST_CASE("no handler asks for a name that its route does not have") {
  house h;
  const auto all = routes_with_captures(h.http);
  REQUIRE(all.size() > 30);
  for (const auto& route : all) {
    INFO(route.method << ' ' << route.pattern);
    auto path = replaced(route.pattern, "{guest}", h.create_guest());
    path = replaced(std::move(path), "{job}", h.http.post("/images", R"({"id":"base"})").job());
    path = replaced(std::move(path), "{action}", "reboot");
    for (const auto* name : {"disk", "nic", "snapshot", "image", "token", "actor", "file"})
      path = replaced(std::move(path), std::string{"{"} + name + '}', "0");
    CHECK(path.find('{') == path.npos);
    const auto answer = h.http.send(route.method, path, body_for(route));
    CAPTURE(answer.body);
    CHECK(answer.status != 500); // of the exception
    CHECK(answer.status != 400); // the handler did not come that far
  }
}
