#include "http/cli/mistify/follow.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/client/event_stream.hpp"

#include <algorithm>
#include <map>
#include <ranges>

namespace mistify::cli {

namespace {

using client::event;

/// How far a job is known to be; a job never goes back.
int rank_of(std::string_view status) {
  return status == "Queued" ? 0 : status == "Running" ? 1 : 2;
}

/// The status that an event means; "" where it is none of these.
std::string status_after(const event& what) {
  if (what.type == "job.queued")
    return "Queued";
  if (what.type == "job.started")
    return "Running";
  return what.type == "job.ended" ? what.status : std::string{};
}

/// A job as the events describe it, with the members that the list has.
std::string job_json(const event& what, const std::string& status) {
  rpc::json::writer out;
  out.begin_object().key("ID").value(what.job).key("GuestID").value(what.guest).key("Action").value(what.action);
  out.key("Status").value(status).key("QueuedAt").value(what.time).key("Message").value(what.message).end_object();
  return std::move(out).str();
}

void print_now(const std::string& text) {
  print(text);
  flush_output();
}

void warn_of_gap(const event& what) {
  print_error("mistify: some events are lost: the agent's log does not reach back far enough " + what.data);
}

/// What `jobs -f` knows of each job.
class job_follower {
public:
  job_follower(const arguments& args, layout how) : args_{args}, how_{std::move(how)} {}

  void list(const std::string& json) {
    const auto parsed = client::decode<rpc::json::document>(json);
    const auto all = parsed.root().items("jobs");
    for (const rpc::json::node& one : all | std::views::reverse)
      if (fits(client::text_of(one, "Action"))) {
        known_[client::text_of(one, "ID")] = rank_of(client::text_of(one, "Status"));
        print(render_line(one, how_));
      }
    flush_output();
  }

  bool take(const event& what) {
    if (what.type == "gap")
      warn_of_gap(what);
    const auto status = status_after(what);
    if (status.empty() || !fits(what.action))
      return true;
    const auto rank = rank_of(status);
    if (const auto found = known_.find(what.job); found != known_.end() && found->second >= rank)
      return true; // the list said so already
    if (rank == 2)
      known_.erase(what.job); // it has no more events
    else
      known_[what.job] = rank;
    const auto parsed = rpc::json::document::parse(job_json(what, status));
    print_now(render_line(parsed.root(), how_));
    return true;
  }

private:
  bool fits(std::string_view action) const { return !args_.has("--action") || args_.text("--action") == action; }

  const arguments& args_;
  layout how_;
  std::map<std::string, int, std::less<>> known_;
};

/// All of the request is of the command line, so what the agent refuses in it is.
[[noreturn]] void blame_options(const client::failure& e) {
  constexpr int bad_request = 400;
  constexpr std::string_view place = "last_event_id:";
  if (e.status() != bad_request)
    throw client::failure{e};
  const auto& why = e.message();
  throw give_up{status::usage, why.starts_with(place) ? "--behind:" + why.substr(place.size()) : "--" + why};
}

} // namespace

int follow_jobs(context& cx, const std::string& guest, const std::vector<std::string>& columns) {
  if (cx.args.has("--sort") || cx.args.has("--status") || cx.args.has("--limit"))
    throw give_up{status::usage, "--follow shows jobs as they come: --sort, --status and --limit do not go with it"};
  const auto how = cx.output(format::table, columns);
  if (how.as == format::csv)
    print(csv_header(how.columns.empty() ? how.usual : how.columns));
  client::query filter{{"type", "job"}};
  if (!guest.empty())
    filter.emplace_back("guest", guest);
  job_follower follower{cx.args, how};
  const auto beside = cx.another_agent();
  client::event_stream events{cx.agent(), filter};
  events.read([&](const event& what) { return follower.take(what); },
              [&] { follower.list((guest.empty() ? beside->jobs() : beside->guest_jobs(guest)).body); });
  return code(status::done);
}

int show_events(context& cx) {
  if (cx.args.has("--sort"))
    throw give_up{status::usage, "--sort: events are shown as they come"};
  const auto how = cx.output(format::table, {"time", "type", "guest", "job", "action", "state", "status", "message"});
  client::query filter;
  for (const auto& guest : cx.args.list("--guest"))
    filter.emplace_back("guest", guest_id(cx, guest));
  for (const auto* one : {"type", "action"})
    for (const auto& value : cx.args.list(std::string{"--"} + one))
      filter.emplace_back(one, value);
  if (how.as == format::csv)
    print(csv_header(how.columns.empty() ? how.usual : how.columns));
  flush_output();
  client::event_stream events{cx.agent(), filter, cx.args.text("--behind")};
  const auto show = [&](const event& what) {
    if (what.type == "gap") {
      warn_of_gap(what);
      return true;
    }
    const auto parsed = rpc::json::document::parse(what.data);
    print_now(render_line(parsed.root(), how));
    return true;
  };
  try {
    events.read(show);
  } catch (const client::failure& e) {
    blame_options(e);
  }
  return code(status::done);
}

} // namespace mistify::cli
