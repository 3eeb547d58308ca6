#include "http/cli/stop_guests_command.hpp"

#include "http/client/client.hpp"
#include "rpc/base/command_line.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
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
/// After a look that the agent did not answer.
constexpr std::chrono::seconds ask_again{1};

[[noreturn]] void give_up(const std::string& why) {
  throw failure{rpc::errc::unavailable, why};
}

client::transport connect(const std::string& url) {
  client::settings how;
  how.agent = client::parse_address(url);
  how.timeout = answer_timeout;
  return client::transport{std::move(how)};
}

/// Control characters in it cannot act on a terminal.
std::string quoted(std::string_view text) {
  rpc::json::writer out;
  out.value(text);
  return std::move(out).str();
}

struct guest_list {
  /// The ids of guests that are on, by their order, the highest first.
  std::map<std::int64_t, std::vector<std::string>, std::greater<>> by_order;
  bool whole = true; ///< all could be read
};

guest_list guests_of(client::transport& agent) {
  const auto answer = agent.send({"GET", "/guests?fields=id,state,power", {}, {}}); // whole ones may be large
  client::expect_success(answer);
  guest_list guests;
  const auto list = rpc::json::document::parse(answer.body);
  for (const rpc::json::node& item : list.root().items("guests"))
    try {
      const auto guest = rpc::decode_guest(item);
      if (rpc::is_on(guest.state))
        guests.by_order[rpc::power_of(guest).order].push_back(guest.id);
    } catch (const std::exception& e) { // is no reason to leave the others on
      std::cout << "a guest cannot be read: " << e.what() << '\n';
      guests.whole = false;
    }
  return guests;
}

/// The id of the job that shuts the guest down; null, after a line that says why, if there is none.
std::optional<std::string> shut_down(client::transport& agent, const std::string& guest, const stop_options& wanted) {
  rpc::json::writer body;
  body.begin_object().key("wait").value(std::uint64_t{wanted.wait}).key("then").value("poweroff").end_object();
  try {
    const auto answer = agent.send({"POST", "/guests/" + guest + "/shutdown?keep_wanted=true", body.str(), {}});
    client::expect_success(answer);
    if (auto job = answer.header("x-guest-job-id"); !job.empty())
      return job;
    give_up("the agent's answer names no job");
  } catch (const std::exception& e) { // is no reason to leave the others on
    std::cout << guest << ": not shut down: " << quoted(e.what()) << '\n';
    return std::nullopt;
  }
}

struct job_end {
  std::string status, message;
};

/// How the job of the answer ended; null if it has not. Throws where the answer is no job.
std::optional<job_end> end_in(const std::string& answer) {
  const auto document = rpc::json::document::parse(answer);
  const auto* status = document.root().find("Status");
  const auto* message = document.root().find("Message");
  job_end end{status ? status->as_string("Status") : std::string{},
              message ? message->as_string("Message") : std::string{}};
  if (end.status.empty())
    give_up("the agent's answer has no Status");
  return end.status == "Queued" || end.status == "Running" ? std::nullopt : std::optional{std::move(end)};
}

/// One look, which lasts until the job ends, but `one_look` at most. Throws for anything but an answer with the job.
std::optional<job_end> look_at(client::transport& agent, const std::string& job) {
  const auto answer = agent.send({"GET", "/jobs/" + job + "?wait=" + std::to_string(one_look.count()) + "s", {}, {}});
  if (answer.status == 404)
    return job_end{"Error", "the agent has no such job"};
  client::expect_success(answer);
  return end_in(answer.body);
}

/// Waits for the end of the job, and says how it ended. Returns true if the guest is off. An agent that is away, or in
/// trouble, is asked again: it may come back, and its jobs go on.
bool await_end(client::transport& agent, const std::string& guest, const std::string& job, clock::time_point until) {
  std::string trouble;
  while (clock::now() < until) {
    try {
      if (const auto end = look_at(agent, job)) {
        std::cout << guest << ": " << end->status << ' ' << end->message << '\n';
        return end->status == "Complete";
      }
      trouble.clear();
    } catch (const std::exception& e) {
      trouble = std::string{": "} + e.what();
      std::this_thread::sleep_until(std::min(until, clock::now() + ask_again));
    }
  }
  std::cout << guest << ": not off in time" << trouble << '\n';
  return false;
}

bool stop_all(client::transport& agent, const guest_list& guests, const stop_options& wanted) {
  const auto until = clock::now() + std::chrono::seconds{wanted.within};
  bool all = guests.whole;
  for (const auto& [order, ids] : guests.by_order) {
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
    auto agent = connect(wanted.agent);
    return stop_all(agent, guests_of(agent), wanted) ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& e) {
    std::cerr << "mistify-agent: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}

} // namespace mistify::http
