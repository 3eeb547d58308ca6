#include "http/api/views/event_stream.hpp"

#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"

#include <utility>
#include <vector>

namespace mistify::http {

namespace {

using store::event;
using store::event_type;

/// A piece is sent once it has this size, which bounds the memory of a reader.
constexpr std::size_t piece = 16 * 1024;
/// The maximum number of events examined at once: it bounds how long a selective filter occupies a worker.
constexpr std::size_t most_at_once = 500;
/// How long browsers wait before they reconnect.
constexpr std::string_view retry = "retry: 2000\n";

void write_details(rpc::json::writer& out, const event& what) {
  switch (what.type) {
  case event_type::guest_created:
  case event_type::guest_changed:
    out.key("state").value(what.text);
    if (!what.reason.empty())
      out.key("state_reason").value(what.reason);
    break;
  case event_type::guest_power: out.key("message").value(what.text); break;
  case event_type::job_stage_done: out.key("stage").value(what.number + 1).key("method").value(what.text); break;
  case event_type::job_stage_skipped: out.key("stage").value(what.number + 1).key("message").value(what.text); break;
  case event_type::job_ended:
    out.key("status").value(rpc::to_string(static_cast<rpc::job_status>(what.number)));
    out.key("message").value(what.text);
    if (!what.reason.empty())
      out.key("code").value(what.reason);
    break;
  case event_type::guest_deleted:
  case event_type::job_queued:
  case event_type::job_started: break;
  }
}

std::string data_of(const event& what) {
  rpc::json::writer out;
  out.begin_object().key("id").value(what.id).key("time").value(rpc::encode(what.at));
  out.key("type").value(name_of(what.type)).key("guest").value(what.guest);
  if (!what.job.empty())
    out.key("job").value(what.job).key("action").value(what.action);
  write_details(out, what);
  out.end_object();
  return std::move(out).str();
}

} // namespace

std::string_view name_of(event_type type) noexcept {
  switch (type) {
  case event_type::guest_created: return "guest.created";
  case event_type::guest_changed: return "guest.changed";
  case event_type::guest_deleted: return "guest.deleted";
  case event_type::job_queued: return "job.queued";
  case event_type::job_started: return "job.started";
  case event_type::job_stage_done: return "job.stage_done";
  case event_type::job_stage_skipped: return "job.stage_skipped";
  case event_type::job_ended: return "job.ended";
  case event_type::guest_power: return "guest.power";
  }
  return "unknown";
}

bool event_filter::wants(const event& what) const {
  return (!visible || visible(what)) && (guests.empty() || guests.contains(what.guest)) &&
         (actions.empty() || actions.contains(what.action)) && (types.empty() || types.contains(what.type));
}

event_stream::event_stream(sources from, event_filter filter, event_place behind)
  : from_{from}, filter_{std::move(filter)}, epoch_{std::move(behind.epoch)}, epochs_{from.feed.epochs()},
    at_{behind.id} {}

void event_stream::on_more(std::function<void()> wake) {
  listening_ = from_.feed.listen(std::move(wake));
}

/// A position after the last event, or of an unknown epoch, belongs to the log of another database. One after the end
/// of its epoch belongs to events that a restore undid. A reader that has received nothing has missed nothing.
void event_stream::begin(std::string& to) {
  to = retry;
  const auto last = from_.feed.last();
  const auto end = epoch_.empty() || at_ == 0 ? last : epochs_->end_of(epoch_, last);
  if (!end || at_ > *end) {
    const auto common = end.value_or(last);
    show_gap(common + 1, to);
    at_ = common;
  }
  to += place();
}

std::string event_stream::next() {
  std::string out;
  if (!std::exchange(begun_, true))
    begin(out);
  const auto found = look();
  epochs_ = from_.feed.epochs();
  for (const auto& one : found) {
    if (one->id > at_ + 1)
      show_gap(one->id, out);
    at_ = one->id;
    if (filter_.wants(*one))
      show(*one, out);
    if (out.size() >= piece)
      break;
  }
  return out.empty() && !found.empty() ? place() : out;
}

std::vector<store::event_ptr> event_stream::look() const {
  if (auto recent = from_.feed.after(at_, most_at_once))
    return *std::move(recent);
  return from_.log.events_after(at_, most_at_once);
}

/// A heartbeat comment, and the position for a reader that reconnects.
std::string event_stream::idle() {
  return ": still here\n" + place();
}

/// An id without data is not an event, but the reader sends it when it reconnects.
std::string event_stream::place() const {
  return "id: " + id_of(at_) + "\n\n";
}

std::string event_stream::id_of(std::int64_t event) const {
  std::string id{epochs_->of(event)};
  if (!id.empty())
    id += '-';
  return id + std::to_string(event);
}

void event_stream::show(const event& what, std::string& to) const {
  to.append("id: ").append(id_of(what.id)).append("\nevent: ").append(name_of(what.type));
  to.append("\ndata: ").append(data_of(what)).append("\n\n");
}

/// `next` is the first event available.
void event_stream::show_gap(std::int64_t next, std::string& to) const {
  rpc::json::writer data;
  data.begin_object().key("after").value(at_).key("next").value(next).end_object();
  to.append("id: ").append(id_of(next - 1)).append("\nevent: gap\ndata: ").append(data.str()).append("\n\n");
}

} // namespace mistify::http
