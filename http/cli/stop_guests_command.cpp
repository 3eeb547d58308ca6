#include "http/cli/stop_guests_command.hpp"

#include "rpc/base/command_line.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <httplib.h>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace mistify::http {

namespace {

using rpc::failure;
using clock = std::chrono::steady_clock;

struct stop_options {
  std::string agent = "http://127.0.0.1:8080";
  unsigned wait = 120;   ///< seconds that a guest may take
  unsigned within = 600; ///< seconds for all
};

/// As long as a shutdown may take at most.
constexpr unsigned longest_wait = 24 * 3600; // seconds
/// Longer than the agent holds an answer back.
constexpr std::chrono::seconds answer_timeout{30};
/// How long one look at a job is held back by the agent.
constexpr std::chrono::seconds one_look{10};

[[noreturn]] void give_up(const std::string& why) {
  throw failure{rpc::errc::unavailable, why};
}

std::unique_ptr<httplib::Client> connect(const std::string& url) {
  constexpr std::string_view unix_scheme = "unix:";
  std::unique_ptr<httplib::Client> client;
  if (url.starts_with(unix_scheme)) {
    client = std::make_unique<httplib::Client>(url.substr(unix_scheme.size()), 1);
    client->set_address_family(AF_UNIX);
    client->set_default_headers({{"Host", "localhost"}});
  } else {
    client = std::make_unique<httplib::Client>(url);
  }
  if (!client->is_valid())
    give_up("the agent's URL must be http://HOST:PORT or unix:PATH: " + url);
  client->set_connection_timeout(std::chrono::seconds{5});
  client->set_read_timeout(answer_timeout);
  return client;
}

bool is_on(std::string_view state) {
  return state == "running" || state == "blocked" || state == "paused" || state == "suspended";
}

/// The ids of guests that are on, by their order, the highest first.
using order_map = std::map<std::int64_t, std::vector<std::string>, std::greater<>>;

order_map guests_of(httplib::Client& agent) {
  const auto answer = agent.Get("/guests");
  if (!answer || answer->status != 200)
    give_up("the agent does not list its guests: " +
            (answer ? "status " + std::to_string(answer->status) : httplib::to_string(answer.error())));
  order_map guests;
  const auto list = rpc::json::document::parse(answer->body);
  for (const rpc::json::node& item : list.root().items("guests")) {
    const auto guest = rpc::decode_guest(item);
    if (is_on(guest.state))
      guests[rpc::power_of(guest).order].push_back(guest.id);
  }
  return guests;
}

/// The id of the job that shuts the guest down; null, after a line that says why, if there is none.
std::optional<std::string> shut_down(httplib::Client& agent, const std::string& guest, const stop_options& wanted) {
  rpc::json::writer body;
  body.begin_object().key("wait").value(std::uint64_t{wanted.wait}).key("then").value("poweroff").end_object();
  const auto answer = agent.Post("/guests/" + guest + "/shutdown?keep_wanted=true", body.str(), "application/json");
  if (answer && answer->status == 202)
    return answer->get_header_value("X-Guest-Job-ID");
  std::cout << guest << ": not shut down: " << (answer ? answer->body : httplib::to_string(answer.error())) << '\n';
  return std::nullopt;
}

/// Waits for the end of the job, and says how it ended. Returns true if the guest is off.
bool await_end(httplib::Client& agent, const std::string& guest, const std::string& job, clock::time_point until) {
  while (clock::now() < until) {
    const auto answer = agent.Get("/jobs/" + job + "?wait=" + std::to_string(one_look.count()) + "s");
    if (!answer || answer->status != 200)
      break;
    const auto document = rpc::json::document::parse(answer->body);
    const auto* status = document.root().find("Status");
    const auto* message = document.root().find("Message");
    const auto text = status ? status->as_string("Status") : std::string{};
    if (text == "Queued" || text == "Running")
      continue;
    std::cout << guest << ": " << text << ' ' << (message ? message->as_string("Message") : std::string{}) << '\n';
    return text == "Complete";
  }
  std::cout << guest << ": not off in time\n";
  return false;
}

bool stop_all(httplib::Client& agent, const order_map& guests, const stop_options& wanted) {
  const auto until = clock::now() + std::chrono::seconds{wanted.within};
  bool all = true;
  for (const auto& [order, ids] : guests) {
    std::vector<std::pair<std::string, std::string>> jobs;
    for (const auto& id : ids)
      if (auto job = shut_down(agent, id, wanted))
        jobs.emplace_back(id, *std::move(job));
    all = all && jobs.size() == ids.size();
    for (const auto& [guest, job] : jobs)
      all = await_end(agent, guest, job, until) && all;
  }
  return all;
}

} // namespace

int run_stop_guests_command(int argc, char** argv) {
  stop_options wanted;
  rpc::command_line options{"mistify-agent stop-guests", "Shuts all guests down before the host goes down."};
  options.option("-a,--agent", wanted.agent, "the agent: http://HOST:PORT or unix:PATH");
  options.option("--wait", wanted.wait, "seconds that a guest may take; then its plug is pulled", longest_wait);
  options.option("--within", wanted.within, "seconds after which no guest is waited for", longest_wait);
  if (auto done = options.parse(argc, argv))
    return *done;
  try {
    const auto agent = connect(wanted.agent);
    return stop_all(*agent, guests_of(*agent), wanted) ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& e) {
    std::cerr << "mistify-agent: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}

} // namespace mistify::http
