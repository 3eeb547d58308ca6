#pragma once

#include "actors/guests/guest_metrics_cache.hpp"
#include "actors/guests/metrics_lane.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "store/guest_index.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace mistify::actors {

/// What the collector uses; const once the actors run.
struct metrics_context {
  front_actor front;
  std::function<std::shared_ptr<const config>()> settings; ///< the config that holds now
  const store::guest_index* guests = nullptr;
  guest_metrics_cache* to = nullptr;
};

/// Fetches the metrics of all guests from the sub-agents when somebody wants them, with lower priority than other
/// requests, as a lane for each service decides. One timer for all lanes; without wishes it costs nothing.
class metrics_collector {
public:
  static inline const char* name = "guest_metrics";

  explicit metrics_collector(metrics_actor::pointer self) : self_{self} {}

  metrics_actor::behavior_type behavior(metrics_context context);

  bool busy() const noexcept;
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return history_; }

private:
  using lanes = std::map<std::string, metrics_lane>;

  void want();
  void drop_unasked(const std::map<std::string, std::vector<metrics_question>>& questions);
  void work(lanes::value_type& lane);
  void begin_round(lanes::value_type& lane);
  void send(lanes::value_type& lane, const metrics_lane::request& one);
  metrics_lane::ending keep(const std::string& service, const std::string& guest, figure_kind kind,
                            const rpc::outcome<rpc::json::document>& answer);
  void note_silence(const std::string& service, const std::string& reason);
  void set_timer();

  metrics_actor::pointer self_;
  metrics_context context_{};
  std::shared_ptr<const config> seen_; // that lanes and cache are for
  lanes lanes_;                        // by service; a lane stays, as answers may come
  std::uint64_t timer_ = 0;            // counts the timers: only the latest one counts
  std::optional<metrics_lane::time> set_for_;
  bool stopping_ = false;
  history history_{16};
};

/// The behaviour. What `context` points to, and `actors`, outlive the actor.
metrics_actor::behavior_type metrics_behavior(inspectable_pointer<metrics_actor, metrics_collector> self,
                                              metrics_context context, actor_registry* actors);

} // namespace mistify::actors
