#pragma once

#include "fake_engine.hpp"
#include "rpc/agents/container/container_agent.hpp"
#include "test/rpc/agent_calls.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace mistify::test {

/// The sub-agent on a fake engine, called as the agent does.
struct container_lab {
  static constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";
  const std::string name = "mistify-" + std::string{id};

  explicit container_lab(bool podman = false) : fake{(dir.path() / "e.sock").string(), podman} {
    fake.put_image("localhost/bb:latest");
  }

  temp_dir dir;
  fake_engine fake;
  agents::container::container_settings settings{
    .engine = fake.socket(), .folder = dir.path() / "state", .fetching = {.reading = {.nets = {"127.0.0.0/8"}}}};
  std::optional<agents::container::container_agent> agent{std::in_place, 0, settings};
  std::optional<caller> call{agent->server()};

  /// As after the end of the process.
  void restart() {
    call.reset();
    agent.reset();
    agent.emplace(0, settings);
    call.emplace(agent->server());
  }

  static rpc::guest guest() {
    rpc::guest g;
    g.id = id;
    g.type = "container";
    g.image = "bb";
    return g;
  }

  std::string raw(std::string_view method, const std::string& params) {
    return (*call)("MDocker." + std::string{method}, params);
  }

  /// The whole answer to a guest action; `more` are further members of the request.
  rpc::guest_response act(std::string_view method, const rpc::guest& g = guest(), const std::string& action = "x",
                          const std::string& more = {}) {
    const auto text = raw(method, R"({"guest":)" + rpc::encode(g) + R"(,"action":")" + action + '"' + more + '}');
    rpc::guest_response read;
    rpc::decode(rpc::json::document::parse(text).root(), read);
    return read;
  }

  std::string refusal(std::string_view method, const rpc::guest& g = guest(), const std::string& action = "x") {
    try {
      act(method, g, action);
    } catch (const std::exception& e) {
      return e.what();
    }
    return {};
  }

  /// The code of the refusal of a call; `none` of one that succeeds.
  rpc::errc code_of(std::string_view method, const std::string& params) {
    try {
      raw(method, params);
      return rpc::errc::none;
    } catch (const rpc::failure& e) {
      return e.code();
    }
  }

  rpc::errc code_of(std::string_view method, const rpc::guest& g = guest()) {
    return code_of(method, R"({"guest":)" + rpc::encode(g) + R"(,"action":"x"})");
  }

  /// State and reason, with a slash between.
  static std::string state(const rpc::guest_response& of) {
    const auto guest = rpc::json::document::parse(rpc::encode(of.guest));
    const auto* reason = guest.root().find("state_reason");
    return of.guest.state + '/' + (reason ? reason->text() : "");
  }
};

struct podman_lab : container_lab {
  podman_lab() : container_lab{true} {}
};

} // namespace mistify::test
