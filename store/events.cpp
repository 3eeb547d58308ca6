#include "store/events.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"
#include "store/jobs.hpp"

#include <exception>
#include <utility>

namespace mistify::store {

namespace {

/// Cuts between two UTF-8 characters and appends a mark.
void shorten(std::string& text) {
  if (text.size() <= longest_event_text)
    return;
  constexpr std::string_view mark = "…";
  auto end = longest_event_text - mark.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  text.replace(end, text.npos, mark);
}

/// Encodes the events of a commit as one row: an array for each event, in the order of the members, without the id.
std::string encode(const std::vector<event>& events) {
  rpc::json::writer out;
  out.begin_array();
  for (const auto& one : events) {
    out.begin_array()
      .value(to_column(one.at))
      .value(static_cast<int>(one.type))
      .value(one.guest)
      .value(one.job)
      .value(one.action)
      .value(one.number)
      .value(one.text);
    if (!one.reason.empty() || one.labels)
      out.value(one.reason);
    if (one.labels)
      out.raw(rpc::encode(*one.labels));
    out.end_array();
  }
  return std::move(out.end_array()).str();
}

std::shared_ptr<const rpc::metadata_map> decode_labels(const rpc::json::node& from) {
  rpc::metadata_map labels;
  for (const auto& [key, value] : from.members("event"))
    labels.insert_or_assign(std::string{key}, value.as_string("event"));
  return std::make_shared<const rpc::metadata_map>(std::move(labels));
}

event decode(const rpc::json::node& from) {
  const auto parts = from.items("event");
  const auto integer = [&](std::size_t i) { return parts.at(i).get().as_int("event"); };
  const auto text = [&](std::size_t i) { return parts.at(i).get().as_string("event"); };
  return {0,
          from_column(integer(0)),
          static_cast<event_type>(integer(1)),
          text(2),
          text(3),
          text(4),
          integer(5),
          text(6),
          parts.size() > 7 ? text(7) : std::string{},
          parts.size() > 8 ? decode_labels(parts.at(8).get()) : nullptr};
}

std::vector<event> decode(std::int64_t first, const std::string& text) {
  std::vector<event> events;
  try {
    const auto all = rpc::json::document::parse(text);
    for (const auto& one : all.root().items("events"))
      events.push_back(decode(one));
  } catch (const std::exception& broken) { // changed by another program: rows are written whole
    throw rpc::failure{rpc::errc::storage_failed, "the events from " + std::to_string(first) + " on: " + broken.what()};
  }
  for (auto& one : events)
    one.id = first++;
  return events;
}

} // namespace

event event_of(event_type type, const rpc::job& by) {
  event what;
  what.at = by.updated_at;
  what.type = type;
  what.guest = by.guest_id;
  what.job = by.id;
  what.action = by.action;
  return what;
}

event_table::event_table(const database& db)
  : append_{db, "INSERT INTO event_log (last, first, events) VALUES (?, ?, ?)"},
    erase_before_{db, "DELETE FROM event_log WHERE last < ?"},
    first_{db, "SELECT first FROM event_log ORDER BY last LIMIT 1"},
    last_{db, "SELECT last FROM event_log ORDER BY last DESC LIMIT 1"} {}

void event_table::append(std::vector<event>& news) {
  if (news.empty())
    return;
  for (auto& one : news)
    shorten(one.text);
  append_.run(news.back().id, news.front().id, encode(news));
}

void event_table::erase_before(std::int64_t id) {
  erase_before_.run(id);
}

std::int64_t event_table::first() {
  auto row = first_();
  return row.next() ? row.integer(0) : 1;
}

std::int64_t event_table::last() {
  auto row = last_();
  return row.next() ? row.integer(0) : 0;
}

event_lookup::event_lookup(const database& db)
  : after_{db, "SELECT first, events FROM event_log WHERE last > ? ORDER BY last"} {}

std::vector<event_ptr> event_lookup::after(std::int64_t id, std::size_t most) {
  std::vector<event_ptr> found;
  for (auto row = after_(id); found.size() < most && row.next();)
    for (auto& one : decode(row.integer(0), row.text(1)))
      if (one.id > id && found.size() < most)
        found.push_back(std::make_shared<const event>(std::move(one)));
  return found;
}

} // namespace mistify::store
