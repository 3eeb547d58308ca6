#include "http/api/guest_metrics_collector.hpp"

#include "rpc/base/log.hpp"

#include <algorithm>
#include <condition_variable>
#include <latch>
#include <map>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace mistify::http {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using rpc::errc;

/// Concurrent scrapes share a round.
constexpr auto shortest_round = 5s;
constexpr auto longest_round = 60s;
/// The pause before a request is repeated because its service had no free slot.
constexpr auto pause_when_busy = 100ms;

/// A request for one kind of metrics.
struct question {
  figure_kind kind;
  actors::action_ptr what;
  bool of_containers = true, of_others = true; ///< the guests that it is for

  bool is_for(const store::stored_guest& guest) const { return guest.type == "container" ? of_containers : of_others; }
};

/// Returns the configured requests by the service of their first stage.
std::map<std::string, std::vector<question>> questions_by_service(const actors::config& settings) {
  struct row {
    std::string_view all, containers;
    figure_kind kind;
  };
  constexpr row actions[] = {{"cpuMetrics", "containerCpuMetrics", figure_kind::cpu},
                             {"diskMetrics", "containerDiskMetrics", figure_kind::disk},
                             {"nicMetrics", "containerNicMetrics", figure_kind::nic}};
  std::map<std::string, std::vector<question>> found;
  const auto add = [&](question q) {
    if (q.what && !q.what->stages.empty())
      found[q.what->stages.front().service].push_back(std::move(q));
  };
  for (const auto& [all, containers, kind] : actions) {
    const auto own = settings.find_action(containers);
    add({kind, own, true, false});
    add({kind, settings.find_action(all), own == nullptr, true});
  }
  return found;
}

} // namespace

/// The collector of one service.
class guest_metrics_collector::lane {
public:
  lane(std::string service, const actors::current_config& settings, const store::guest_index& guests,
       actor_gateway& agents, guest_metrics_cache& to)
    : service_{std::move(service)}, settings_{settings}, guests_{guests}, agents_{agents}, to_{to},
      thread_{[this](const std::stop_token& stop) { run(stop); }} {}

  void want() {
    const std::lock_guard lock{mutex_};
    wanted_ = true;
    wake_.notify_all();
  }

private:
  struct asked {
    store::guest_ptr guest;
    question about;
    rpc::outcome<std::string> answer = {};
  };
  enum class ending : std::uint8_t { done, busy, hopeless };

  void run(const std::stop_token& stop);
  void round(const std::stop_token& stop);
  std::vector<asked> all_questions(const std::vector<question>& questions);
  ending ask(std::vector<asked>& few);
  ending take(asked& one);
  bool pause(const std::stop_token& stop, clock::duration length);

  const std::string service_;
  const actors::current_config& settings_;
  const store::guest_index& guests_;
  actor_gateway& agents_;
  guest_metrics_cache& to_;
  std::string begin_at_; // the first guest that the last round did not reach
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool wanted_ = false;
  std::jthread thread_; // last: it uses the other members
};

void guest_metrics_collector::lane::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock{mutex_};
      if (!wake_.wait(lock, stop, [&] { return wanted_; }))
        return;
    }
    const auto next = clock::now() + shortest_round;
    round(stop);
    const auto early = next - clock::now();
    if (early > 0s && !pause(stop, early))
      return;
  }
}

/// Returns false if the thread must end.
bool guest_metrics_collector::lane::pause(const std::stop_token& stop, clock::duration length) {
  std::unique_lock lock{mutex_};
  wake_.wait_for(lock, stop, length, [] { return false; });
  return !stop.stop_requested();
}

/// Returns all requests for all guests, starting with the guest at which the last round ended.
std::vector<guest_metrics_collector::lane::asked>
guest_metrics_collector::lane::all_questions(const std::vector<question>& questions) {
  auto guests = guests_.all();
  const auto first =
    std::find_if(guests.begin(), guests.end(), [&](const auto& guest) { return guest->id >= begin_at_; });
  std::rotate(guests.begin(), first, guests.end());
  std::vector<asked> all;
  for (const auto& guest : guests)
    for (const auto& about : questions)
      if (about.is_for(*guest)) {
        auto& one = all.emplace_back();
        one.guest = guest;
        one.about = about;
      }
  return all;
}

/// A service that the config names no more, or not for metrics, is asked nothing.
void guest_metrics_collector::lane::round(const std::stop_token& stop) {
  const auto settings = settings_.get();
  const auto questions = questions_by_service(*settings)[service_];
  const auto service = settings->services.find(service_);
  const auto places = service == settings->services.end() ? 0 : service->second.max_pending;
  const auto width = std::max<std::size_t>(1, places / 2);
  to_.retain([&](const std::string& guest) { return guests_.find(guest) != nullptr; });
  const auto until = clock::now() + longest_round;
  auto left = all_questions(questions);
  std::reverse(left.begin(), left.end()); // taken from the end
  begin_at_.clear();
  while (!left.empty() && !stop.stop_requested()) {
    if (clock::now() >= until) {
      begin_at_ = left.back().guest->id;
      break;
    }
    std::vector<asked> few;
    for (; !left.empty() && few.size() < width; left.pop_back())
      few.push_back(std::move(left.back()));
    const auto end = ask(few);
    if (end == ending::hopeless) {
      begin_at_ = few.front().guest->id;
      break;
    }
    if (end == ending::busy) {
      left.insert(left.end(), std::make_move_iterator(few.rbegin()), std::make_move_iterator(few.rend()));
      pause(stop, pause_when_busy);
    }
  }
  const std::lock_guard lock{mutex_};
  wanted_ = false; // scrapes that arrived meanwhile are served by this round
}

/// Sends all requests and waits for every response.
guest_metrics_collector::lane::ending guest_metrics_collector::lane::ask(std::vector<asked>& few) {
  std::latch answers{static_cast<std::ptrdiff_t>(few.size())};
  for (auto& one : few) {
    actors::info_request what{one.about.what, {}, true};
    agents_.ask(one.guest->id, std::move(what)).sender()([&](rpc::outcome<std::string> answer) {
      one.answer = std::move(answer);
      answers.count_down();
    });
  }
  answers.wait();
  auto end = ending::done;
  for (auto& one : few)
    end = std::max(end, take(one));
  return end;
}

/// Removes metrics that a guest does not have (mostly because it does not run); metrics that did not arrive in time
/// become older.
guest_metrics_collector::lane::ending guest_metrics_collector::lane::take(asked& one) {
  try {
    if (const auto* why = std::get_if<rpc::failure>(&one.answer))
      throw *why;
    to_.keep(one.guest->id, one.about.kind, std::get<std::string>(one.answer));
    return ending::done;
  } catch (const rpc::failure& why) {
    switch (why.code()) {
    case errc::queue_full: return ending::busy;
    case errc::sub_agent_unreachable:
    case errc::sub_agent_refused:
    case errc::sub_agent_not_found:
    case errc::sub_agent_conflict:
    case errc::sub_agent_in_use:
    case errc::sub_agent_no_space:
    case errc::sub_agent_no_memory:
    case errc::sub_agent_failed: to_.drop(one.guest->id, one.about.kind); return ending::done;
    case errc::not_found: return ending::done; // deleted meanwhile
    default:
      rpc::log::info("metrics of guests are not fetched", {{"service", service_}, {"reason", why.message()}});
      return ending::hopeless;
    }
  }
}

guest_metrics_collector::guest_metrics_collector(const actors::current_config& settings,
                                                 const store::guest_index& guests, actor_gateway& agents,
                                                 guest_metrics_cache& to)
  : settings_{settings}, guests_{guests}, agents_{agents}, to_{to} {
  add_lanes();
}

guest_metrics_collector::~guest_metrics_collector() = default;

/// Starts a thread for each service that has metrics by now.
void guest_metrics_collector::add_lanes() {
  auto settings = settings_.get();
  if (settings == seen_)
    return;
  for (const auto& [service, questions] : questions_by_service(*settings))
    if (!lanes_.contains(service))
      lanes_.emplace(service, std::make_unique<lane>(service, settings_, guests_, agents_, to_));
  seen_ = std::move(settings);
}

void guest_metrics_collector::want() {
  const std::lock_guard lock{mutex_};
  try {
    add_lanes();
  } catch (const std::system_error& e) { // the next scrape tries it again
    rpc::log::warning("metrics of guests: no thread for a service", {{"reason", e.what()}});
  }
  for (auto& [service, one] : lanes_)
    one->want();
}

} // namespace mistify::http
