#pragma once

#include "http/api/event_place.hpp"
#include "http/protocol/message.hpp"
#include "store/event_feed.hpp"
#include "store/job_reader.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace mistify::http {

/// Returns the name of an event's type on the wire: "job.ended".
std::string_view name_of(store::event_type type) noexcept;

/// The events that a reader wants; an empty set matches all.
struct event_filter {
  std::set<std::string, std::less<>> guests, actions;
  std::set<store::event_type> types;
  std::function<bool(const store::event&)> visible; ///< asked about each event; null: all are

  bool wants(const store::event& what) const;
};

/// An open-ended stream of the events after a position, in order, as Server-Sent Events: first from the log, then
/// each as it is committed. An event `gap` reports that the log no longer reaches back to that position. Examined
/// events advance the reader's position even if the filter drops them.
class event_stream final : public streaming_body {
public:
  /// All members outlive this.
  struct sources {
    store::event_feed& feed;
    const store::job_reader& log;
  };
  event_stream(sources from, event_filter filter, event_place behind);

  std::string next() override;
  std::string idle() override;
  void on_more(std::function<void()> wake) override;

private:
  std::vector<store::event_ptr> look() const;
  void begin(std::string& to);
  std::string id_of(std::int64_t event) const;
  std::string place() const;
  void show(const store::event& what, std::string& to) const;
  void show_gap(std::int64_t next, std::string& to) const;

  const sources from_;
  const event_filter filter_;
  std::string epoch_; // as sent by the reader
  store::epochs_ptr epochs_;
  std::int64_t at_; // id of the last examined event
  bool begun_ = false;
  store::event_feed::listener listening_;
};

} // namespace mistify::http
