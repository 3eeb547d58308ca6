#include "store/legacy/legacy_import.hpp"

#include "rpc/base/error.hpp"
#include "rpc/model/codec.hpp"
#include "store/broken_rows.hpp"
#include "store/database_files.hpp"
#include "store/database_opener.hpp"
#include "store/file_lock.hpp"
#include "store/guest_merge.hpp"
#include "store/guests.hpp"
#include "store/jobs.hpp"
#include "store/legacy/legacy_content.hpp"
#include "store/schema.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace mistify::store {

namespace {

namespace fs = std::filesystem;

constexpr auto interrupted = "interrupted by the upgrade of the agent";

[[noreturn]] void refuse(const std::string& why) {
  throw rpc::failure{rpc::errc::storage_failed, why};
}

/// Runs `work`; prefixes the message of a failure with `what`.
template <class F>
auto about(const std::string& what, F&& work) {
  try {
    return work();
  } catch (const rpc::failure& error) {
    throw rpc::failure{error.code(), what + ": " + error.message(), error.stack()};
  }
}

void tell(const journal_settings& settings, const std::string& message) {
  if (settings.warn)
    settings.warn(message);
}

rpc::timestamp now(const journal_settings& settings) {
  return settings.now ? settings.now() : rpc::timestamp{std::chrono::system_clock::now()};
}

bool has_content(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error) && (!fs::is_regular_file(path, error) || fs::file_size(path, error) > 0);
}

bool same_file(const std::string& one, const std::string& other) {
  std::error_code error;
  return fs::equivalent(one, other, error);
}

/// True for a file whose header has this agent's application id, as SQLite's file format places it: most starts need not
/// open it twice.
bool has_own_header(const std::string& path) {
  constexpr std::size_t place_of_id = 68;
  std::array<unsigned char, place_of_id + 4> header{};
  std::ifstream file{path, std::ios::binary};
  if (!file.read(reinterpret_cast<char*>(header.data()), header.size()))
    return false;
  std::int64_t id = 0;
  for (auto at = place_of_id; at < header.size(); ++at)
    id = id << 8 | header.at(at);
  return id == application_id;
}

// -- what becomes of the content -----------------------------------------------------------------------------------

legacy_content read(const std::string& path) {
  database db{path, database::access::read_write}; // recovers the copy if the original crashed
  if (!has_legacy_layout(db))
    refuse("the file is no database of the original agent");
  check_for_corruption(db);
  return read_legacy(db);
}

/// Sets a guest whose create is unfinished to `error`. The original stored the state `create` before the first stage;
/// later states came from the sub-agents.
void fail_create(std::vector<guest_ptr>& guests, const rpc::job& job) {
  if (job.action != "create" && job.action != "containerCreate")
    return;
  const auto found = std::ranges::find(guests, job.guest_id, [](const guest_ptr& guest) { return guest->id; });
  if (found == guests.end())
    return;
  auto guest = rpc::decode_guest((*found)->doc);
  if (guest.state != "create")
    return;
  guest.state = "error";
  *found = to_stored(guest);
}

std::size_t end_unfinished(legacy_content& content, rpc::timestamp at) {
  std::size_t count = 0;
  for (auto& job : content.jobs) {
    if (rpc::has_ended(job.status))
      continue;
    job.status = rpc::job_status::error;
    job.message = interrupted;
    job.code = rpc::job_code::interrupted;
    job.updated_at = at;
    fail_create(content.guests, job);
    ++count;
  }
  return count;
}

std::size_t prune(std::vector<rpc::job>& jobs, std::size_t keep) {
  const auto surplus = jobs.size() - std::min(jobs.size(), keep);
  jobs.erase(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(surplus));
  return surplus;
}

import_report settle(legacy_content& content, const journal_settings& settings) {
  import_report report;
  report.interrupted = end_unfinished(content, now(settings));
  report.pruned = prune(content.jobs, settings.keep_jobs);
  report.guests = content.guests.size();
  report.metadata = content.metadata.size();
  report.jobs = content.jobs.size();
  report.broken = content.broken.size();
  return report;
}

// -- the new file --------------------------------------------------------------------------------------------------

void write(const legacy_content& content, const std::string& path, rpc::timestamp at) {
  database db{path, database::access::read_write};
  // A partial file is useless, so it is made durable only once, as a whole.
  db.text("PRAGMA journal_mode = MEMORY");
  db.execute("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY");
  migrate(db);
  transaction all{db};
  guest_table guests{db};
  for (const auto& guest : content.guests)
    guests.insert(*guest);
  metadata_table{db}.change({}, content.metadata);
  job_table jobs{db};
  for (const auto& job : content.jobs) {
    job_row row;
    row.job = job;
    jobs.insert(row, "", "");
  }
  jobs.number_ended();
  keep_aside(db, content.broken, at);
  all.commit();
}

/// Rolls back the transaction that the original left unfinished at a crash, as opening the database always does. Its
/// journal must be gone before another file takes its name.
void recover(const std::string& path) {
  if (has_content(path))
    database{path, database::access::read_write}.integer("SELECT count(*) FROM sqlite_schema");
  remove_journals(path);
}

/// The new file is complete and durable before the first rename.
std::string exchange(const scratch_file& copy, const scratch_file& fresh, const std::string& target) {
  sync_to_disk(copy.path());
  sync_to_disk(fresh.path());
  recover(target);
  auto kept = keep_as_original(copy.path(), target);
  put_in_place(fresh.path(), target);
  return kept;
}

import_report take_over(const std::string& source, const std::string& target, const journal_settings& settings) {
  const file_lock lock{target + ".lock"};
  if (has_content(target) && !same_file(source, target))
    refuse("there is another database at " + target);
  const scratch_file copy{target + ".import-source"};
  const scratch_file fresh{target + ".import"};
  copy_database(source, copy.path());
  auto content = read(copy.path());
  auto report = settle(content, settings);
  write(content, fresh.path(), now(settings));
  copy_permissions(copy.path(), fresh.path());
  report.copy = exchange(copy, fresh, target);
  for (const auto& row : content.broken)
    tell(settings, "set aside a broken row of the original's " + describe(row));
  for (const auto& remark : content.remarks)
    tell(settings, remark);
  return report;
}

std::string summary(const std::string& source, const import_report& report) {
  const auto text = [](std::size_t n) { return std::to_string(n); };
  return "took over the original agent's database " + source + ": " + text(report.guests) + " guests, " +
         text(report.metadata) + " metadata keys, " + text(report.jobs) + " jobs (" + text(report.interrupted) +
         " had not ended and are errors now, " + text(report.pruned) + " older ones left out), " + text(report.broken) +
         " broken rows set aside; the original is kept as " + report.copy;
}

} // namespace

bool is_legacy_database(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || has_own_header(path))
    return false;
  try {
    database db{path, database::access::untouched};
    return has_legacy_layout(db);
  } catch (const rpc::failure&) {
    return false;
  }
}

import_report import_legacy(const std::string& source, const journal_settings& settings) {
  const auto target = about("database " + settings.path, [&] { return usable_place(settings.path); });
  auto report = about("import of " + source, [&] { return take_over(source, target, settings); });
  tell(settings, summary(source, report));
  return report;
}

void take_over_legacy(const std::string& import_from, const journal_settings& settings) {
  if (is_legacy_database(settings.path))
    import_legacy(settings.path, settings);
  if (import_from.empty())
    return;
  if (has_content(settings.path))
    tell(settings,
         "nothing is imported from " + import_from + ": there is a database at " + settings.path + " already");
  else
    import_legacy(import_from, settings);
}

} // namespace mistify::store
