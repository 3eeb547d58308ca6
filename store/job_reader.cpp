#include "store/job_reader.hpp"

#include "store/file_identity.hpp"
#include "store/idempotency.hpp"
#include "store/jobs.hpp"
#include "store/schema.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace mistify::store {

namespace {

/// A connection with its statements.
struct reader {
  explicit reader(const std::string& path)
    : db{path, database::access::read_only}, jobs{db}, keys{db}, events{db}, audits{db} {}

  database db;
  job_lookup jobs;
  idempotency_lookup keys;
  event_lookup events;
  audit_lookup audits;
};

} // namespace

/// A bounded pool: connections are opened on first use and returned after each read.
struct job_reader::impl {
  /// A borrowed connection.
  class loan {
  public:
    explicit loan(impl& pool) : pool_{pool}, reader_{pool.take()} {}
    ~loan() { pool_.give_back(std::move(reader_)); }
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;
    reader* operator->() const noexcept { return reader_.get(); }

  private:
    impl& pool_;
    std::unique_ptr<reader> reader_;
  };

  std::unique_ptr<reader> take() {
    std::unique_lock lock{mutex};
    returned.wait(lock, [&] { return !idle.empty() || opened < bound; });
    if (idle.empty()) {
      if (auto fresh = open_one())
        return fresh;
      if (opened == 0)
        throw rpc::failure{rpc::errc::storage_failed, "the file was replaced while it was opened"};
      bound = opened; // the open connections continue with the file they have open
      returned.wait(lock, [&] { return !idle.empty(); });
    }
    auto next = std::move(idle.back());
    idle.pop_back();
    return next;
  }

  /// Null if the path leads to another file than the first connection's. Called under the lock.
  std::unique_ptr<reader> open_one() {
    if (opened > 0 && identity_of(path) != known)
      return nullptr;
    auto fresh = std::make_unique<reader>(path);
    const auto now = identity_of(path);
    if (!fresh->db.is_at_its_path() || (opened > 0 && now != known))
      return nullptr;
    known = now;
    ++opened;
    return fresh;
  }

  void give_back(std::unique_ptr<reader> used) noexcept {
    {
      std::lock_guard lock{mutex};
      idle.push_back(std::move(used)); // never allocates: the capacity is reserved
    }
    returned.notify_one();
  }

  std::string path;
  std::size_t bound;
  std::mutex mutex;
  std::condition_variable returned;
  std::vector<std::unique_ptr<reader>> idle;
  std::size_t opened = 0;
  file_identity known; // the first connection's file
};

job_reader::job_reader(const std::string& path, std::size_t connections) : impl_{std::make_unique<impl>()} {
  impl_->path = path;
  impl_->bound = std::max<std::size_t>(connections, 1);
  impl_->idle.reserve(impl_->bound);
  try {
    impl::loan first{*impl_}; // fails early if the database is unreadable
    if (schema_version(first->db) != migrations().size())
      throw rpc::failure{rpc::errc::storage_failed, "the schema is not this agent's"};
  } catch (const rpc::failure& error) {
    throw rpc::failure{error.code(), "database " + path + ": " + error.message(), error.stack()};
  }
}

job_reader::~job_reader() = default;

std::optional<rpc::job> job_reader::find(std::string_view job_id) const {
  const impl::loan reader{*impl_};
  return reader->jobs.find(job_id);
}

std::vector<rpc::job> job_reader::latest(const job_filter& which, std::size_t limit) const {
  const impl::loan reader{*impl_};
  return reader->jobs.latest(which, limit);
}

void job_reader::visit(std::string_view guest, const job_visitor& see) const {
  const impl::loan reader{*impl_};
  reader->jobs.visit(guest, see);
}

std::vector<audit_entry> job_reader::audited(const audit_filter& filter, std::size_t limit) const {
  const impl::loan reader{*impl_};
  return reader->audits.find(filter, limit);
}

std::unordered_set<std::string> job_reader::queued_by(std::string_view key) const {
  const impl::loan reader{*impl_};
  return reader->audits.jobs_of(key);
}

std::vector<event_ptr> job_reader::events_after(std::int64_t id, std::size_t most) const {
  const impl::loan reader{*impl_};
  return reader->events.after(id, most);
}

std::optional<queued_job> job_reader::repeated(std::string_view key, std::string_view request_digest) const {
  if (key.empty())
    return std::nullopt;
  const impl::loan reader{*impl_};
  return reader->keys.answer(key, request_digest);
}

} // namespace mistify::store
