#include "store/legacy/legacy_content.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"
#include "store/guest_merge.hpp"
#include "store/legacy/legacy_jobs.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace mistify::store {

namespace {

/// The original has one table; its buckets are namespaces.
constexpr std::string_view guests_bucket = "guests";
constexpr std::string_view metadata_bucket = "hypervisor-metadata";
constexpr std::string_view jobs_bucket = "guest_jobs";
/// The original read its job log from here but wrote it to `guest_jobs`, so rows exist here only if an operator added
/// them.
constexpr std::string_view old_jobs_bucket = "joblog";
constexpr std::string_view old_jobs_key = "jobs";

/// The order puts the row with key "", the newest form of the job log, first.
constexpr auto rows_of_bucket = "SELECT key, value FROM mistify_agent NOT INDEXED WHERE bucket = ? ORDER BY key";

bool is_uuid(std::string_view id) {
  constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(id, shape, [](char c, char wanted) {
    return wanted == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

/// Returns true for valid UTF-8: the JSON writer changes any other text.
bool is_utf8(std::string_view text) {
  const auto json = rpc::json::writer{}.value(text).str();
  return rpc::json::document::parse(json).root().as_string("") == text;
}

guest_ptr read_guest(const std::string& key, const std::string& value, const std::vector<guest_ptr>& others) {
  const auto guest = rpc::decode_guest(value);
  if (guest.id.empty() || guest.id != key)
    throw rpc::failure{rpc::errc::invalid_request, "id: is '" + guest.id + "'"};
  if (!others.empty() && others.back()->id == guest.id) // rows are sorted by key
    throw rpc::failure{rpc::errc::invalid_request, "id: is that of another guest"};
  return to_stored(guest);
}

void read_guests(database& db, legacy_content& to) {
  statement rows{db, rows_of_bucket};
  for (auto row = rows(guests_bucket); row.next();) {
    const auto key = row.text(0);
    const auto value = row.text(1);
    try {
      to.guests.push_back(read_guest(key, value, to.guests));
      if (!is_uuid(key))
        to.remarks.push_back("the id of guest '" + key + "' is no UUID");
    } catch (const rpc::failure& error) {
      to.broken.push_back({std::string{guests_bucket}, key, value, error.message()});
    }
  }
}

void read_metadata(database& db, legacy_content& to) {
  statement rows{db, rows_of_bucket};
  for (auto row = rows(metadata_bucket); row.next();) {
    auto key = row.text(0);
    auto value = row.text(1);
    if (is_utf8(key) && is_utf8(value))
      to.metadata.emplace(std::move(key), std::move(value));
    else
      to.broken.push_back({std::string{metadata_bucket}, std::move(key), std::move(value), "is no UTF-8"});
  }
}

std::vector<rpc::job> read_jobs(database& db, legacy_content& to) {
  legacy_jobs jobs{to.broken};
  statement rows{db, rows_of_bucket};
  for (auto row = rows(jobs_bucket); row.next();)
    jobs.read(std::string{jobs_bucket}, row.text(0), row.text(0), row.text(1));
  for (auto row = rows(old_jobs_bucket); row.next();)
    if (row.text(0) == old_jobs_key)
      jobs.read(std::string{old_jobs_bucket}, row.text(0), "", row.text(1));
  return std::move(jobs).in_order();
}

void remark_on_the_rest(database& db, legacy_content& to) {
  statement others{db, "SELECT coalesce(bucket, ''), count(*) FROM mistify_agent NOT INDEXED "
                       "WHERE coalesce(bucket, '') NOT IN (?, ?, ?) AND NOT (bucket = ? AND key = ?) GROUP BY 1"};
  for (auto row = others(guests_bucket, metadata_bucket, jobs_bucket, old_jobs_bucket, old_jobs_key); row.next();)
    to.remarks.push_back("left out " + row.text(1) + " rows of '" + row.text(0) +
                         "', which the original had no use for");
}

} // namespace

bool has_legacy_layout(database& db) {
  return db.integer("SELECT count(*) FROM pragma_table_info('mistify_agent') "
                    "WHERE name IN ('key', 'bucket', 'value')") == 3;
}

legacy_content read_legacy(database& db) {
  legacy_content content;
  read_guests(db, content);
  read_metadata(db, content);
  content.jobs = read_jobs(db, content);
  remark_on_the_rest(db, content);
  return content;
}

} // namespace mistify::store
