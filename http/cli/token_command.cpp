#include "http/cli/token_command.hpp"

#include "http/access/token_secret.hpp"
#include "http/client/client.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

namespace {

using rpc::failure;
using rpc::json::document;
using rpc::json::writer;

constexpr auto usual_socket = "/run/mistify/agent.sock";

[[noreturn]] void give_up(const std::string& why) {
  throw failure{rpc::errc::unavailable, why};
}

/// The agent behind a unix socket. What listens there may be no agent: its answer is bounded in bytes and in time.
class agent {
public:
  explicit agent(const std::string& socket) : link_{settings_for(socket)} {}

  std::string get(const std::string& path) { return send("GET", path, ""); }
  std::string post(const std::string& path, const std::string& body) { return send("POST", path, body); }
  void remove(const std::string& path) { send("DELETE", path, ""); }

private:
  static client::settings settings_for(const std::string& socket) {
    client::settings how;
    how.agent = {client::address::scheme::unix_socket, socket};
    how.longest_answer = std::size_t{16} << 20U;
    return how;
  }

  std::string send(const std::string& method, const std::string& path, const std::string& body) {
    auto answer = link_.send({method, path, body, {}});
    client::expect_success(answer);
    return std::move(answer.body);
  }

  client::transport link_;
};

std::string text_of(const rpc::json::node& object, std::string_view name) {
  const auto* member = object.find(name);
  return member ? member->as_string(name) : std::string{};
}

/// Prints the secret of an answer, once it is known to be one.
void show_secret(const std::string& answer) {
  const auto made = document::parse(answer);
  const auto token = text_of(made.root(), "token");
  if (!parse_token(token))
    give_up("the answer holds no token");
  std::cout << token << '\n';
}

/// The options of `token add`.
struct wanted_token {
  std::string name, role, label, service, expires;
  std::vector<std::string> scopes, guests;
};

void write_list(writer& out, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty())
    return;
  out.key(key).begin_array();
  for (const auto& text : texts)
    out.value(text);
  out.end_array();
}

std::string encode(const wanted_token& wanted) {
  if (!wanted.label.empty() && !wanted.guests.empty())
    give_up("--guest and --label exclude each other");
  writer out;
  out.begin_object().key("name").value(wanted.name);
  for (const auto& [key, text] :
       {std::pair{"role", &wanted.role}, {"service", &wanted.service}, {"expires", &wanted.expires}})
    if (!text->empty())
      out.key(key).value(*text);
  write_list(out, "scopes", wanted.scopes);
  write_list(out, "guests", wanted.guests);
  if (!wanted.label.empty())
    out.key("guests").begin_object().key("label").value(wanted.label).end_object();
  out.end_object();
  return std::move(out).str();
}

/// A token may be named by its id or its name.
std::string id_of(agent& to, const std::string& named) {
  const auto all = document::parse(to.get("/tokens"));
  for (const auto* member : {"id", "name"})
    for (const rpc::json::node& one : all.root().items("tokens"))
      if (text_of(one, member) == named)
        return text_of(one, "id");
  give_up("there is no token " + named);
}

void show_all(agent& from) {
  const auto all = document::parse(from.get("/tokens"));
  std::vector<std::vector<std::string>> rows{{"ID", "NAME", "ROLE", "LAST USED", "EXPIRES"}};
  for (const rpc::json::node& one : all.root().items("tokens")) {
    const auto role = text_of(one, "role");
    rows.push_back({text_of(one, "id"), text_of(one, "name"), role.empty() ? "(scopes)" : role,
                    text_of(one, "last_used"), text_of(one, "expires")});
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line.append(row[i]).append(widths[i] - row[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
}

int add(int argc, char** argv) {
  std::string socket = usual_socket;
  wanted_token wanted;
  rpc::command_line options{"mistify-agent token add", "Makes a bearer token and prints it, once"};
  options.option("name", wanted.name, "what people call it", rpc::command_line::need::required);
  options.option("--role", wanted.role, "viewer, operator, controller, metrics, sub-agent or admin");
  options.option("--scope", wanted.scopes, "a single right in place of a role; may be repeated");
  options.option("--guest", wanted.guests, "id of a guest that it is limited to; may be repeated");
  options.option("--label", wanted.label, "KEY=VALUE that guests must have that it may see");
  options.option("--service", wanted.service, "the service that a sub-agent's token speaks for");
  options.option("--expires", wanted.expires, "when it ends: 2027-01-31T00:00:00Z");
  options.option("--socket", socket, "the agent's unix socket");
  if (const auto done = options.parse(argc, argv))
    return *done;
  show_secret(agent{socket}.post("/tokens", encode(wanted)));
  return EXIT_SUCCESS;
}

int list(int argc, char** argv) {
  std::string socket = usual_socket;
  rpc::command_line options{"mistify-agent token list", "Lists the bearer tokens, without their secrets"};
  options.option("--socket", socket, "the agent's unix socket");
  if (const auto done = options.parse(argc, argv))
    return *done;
  agent from{socket};
  show_all(from);
  return EXIT_SUCCESS;
}

int revoke(int argc, char** argv) {
  std::string socket = usual_socket, named;
  rpc::command_line options{"mistify-agent token revoke", "Ends a bearer token at once"};
  options.option("token", named, "its id or name", rpc::command_line::need::required);
  options.option("--socket", socket, "the agent's unix socket");
  if (const auto done = options.parse(argc, argv))
    return *done;
  agent at{socket};
  at.remove("/tokens/" + id_of(at, named));
  return EXIT_SUCCESS;
}

int rotate(int argc, char** argv) {
  std::string socket = usual_socket, named;
  rpc::command_line options{"mistify-agent token rotate",
                            "Makes a new secret and prints the token; the old one holds for ten minutes more"};
  options.option("token", named, "its id or name", rpc::command_line::need::required);
  options.option("--socket", socket, "the agent's unix socket");
  if (const auto done = options.parse(argc, argv))
    return *done;
  agent at{socket};
  show_secret(at.post("/tokens/" + id_of(at, named) + "/rotate", ""));
  return EXIT_SUCCESS;
}

using command = int (*)(int, char**);

command find_command(std::string_view name) {
  constexpr std::pair<std::string_view, command> commands[] = {
    {"add", add}, {"list", list}, {"revoke", revoke}, {"rotate", rotate}};
  for (const auto& [known, run] : commands)
    if (known == name)
      return run;
  return nullptr;
}

} // namespace

int run_token_command(int argc, char** argv) {
  const auto run = argc > 1 ? find_command(argv[1]) : nullptr;
  if (!run) {
    std::cerr << "usage: mistify-agent token add|list|revoke|rotate [--help]\n";
    return EXIT_FAILURE;
  }
  try {
    return run(argc - 1, argv + 1);
  } catch (const std::exception& e) {
    std::cerr << "mistify-agent: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}

} // namespace mistify::http
