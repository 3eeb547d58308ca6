#include "rpc/base/log.hpp"

#include "rpc/base/json.hpp"
#include "rpc/base/log_losses.hpp"
#include "rpc/base/time.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace mistify::rpc::log {

namespace {

using spdlog::level::level_enum;

/// Most lines have all of their fields; audit lines omit empty ones.
enum class empty_fields : std::uint8_t { written, left_out };

using named_level = std::pair<std::string_view, level_enum>;
constexpr std::array<named_level, 6> levels{{
  {"debug", level_enum::debug},
  {"info", level_enum::info},
  {"warning", level_enum::warn},
  {"error", level_enum::err},
  {"critical", level_enum::critical},
  {"fatal", level_enum::critical},
}};

const named_level* find_level(std::string_view name) noexcept {
  const auto* found = std::find_if(levels.begin(), levels.end(), [&](const auto& row) { return row.first == name; });
  return found == levels.end() ? nullptr : found;
}

/// Starts spdlog's thread with all signals blocked, so that it does not take the signals that the daemon waits for.
std::shared_ptr<spdlog::details::thread_pool> make_writer(std::size_t most_lines) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto writer = std::make_shared<spdlog::details::thread_pool>(most_lines, 1);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return writer;
}

/// The level of audit lines only; no setting drops it.
constexpr auto audit_level = level_enum::critical;

/// The queues of lines, each with its own writer thread. Other lines never displace audit lines.
struct rooms {
  std::shared_ptr<spdlog::details::thread_pool> others = make_writer(8192), audits = make_writer(2048);
  std::atomic<std::uint64_t> unwritten_others{0}, unwritten_audits{0};

  losses lost() const {
    return {audits->overrun_counter() + unwritten_audits, others->overrun_counter() + unwritten_others};
  }
};

std::string line_of(std::string_view name, std::string_view message, fields extra, empty_fields how) {
  const auto now = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  rpc::json::writer line;
  line.begin_object().key("level").value(name).key("msg").value(message).key("time").value(rpc::encode(now));
  for (const auto& [key, value] : extra)
    if (how == empty_fields::written || !value.empty())
      line.key(key).value(value);
  line.end_object();
  return std::move(line).str();
}

/// Writes to the descriptor, not to `stderr`: the exit of the process flushes `stderr`, and would wait if its reader
/// stalls. Two writer threads share the sink, a line at a time.
class stderr_sink : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit stderr_sink(rooms& of) : rooms_{of} {}

private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    tell_losses();
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!write_all({line.data(), line.size()}))
      ++(message.level == audit_level ? rooms_.unwritten_audits : rooms_.unwritten_others);
  }
  void flush_() override {}

  /// Returns false if stderr has no reader.
  static bool write_all(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::write(STDERR_FILENO, text.data(), text.size());
      if (n < 0 && errno != EINTR)
        return false;
      text.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
    }
    return true;
  }

  void tell_losses() {
    const auto lost = rooms_.lost();
    if (lost == told_)
      return;
    const auto line = line_of(
      "warning", "lines of the log were lost",
      {{"lines", std::to_string(lost.other - told_.other)}, {"audit_lines", std::to_string(lost.audit - told_.audit)}},
      empty_fields::written);
    if (write_all(line + '\n'))
      told_ = lost;
  }

  rooms& rooms_;
  losses told_;
};

/// Builds each line, so that any message becomes valid JSON; spdlog filters, queues and writes.
struct log_state {
  rooms waiting;
  std::shared_ptr<stderr_sink> out = std::make_shared<stderr_sink>(waiting);
  std::shared_ptr<spdlog::async_logger> logger = make_logger(waiting.others), audits = make_logger(waiting.audits);

  std::atomic<const named_level*> level = find_level("warning");
  std::atomic<bool> auditing = true;

private:
  std::shared_ptr<spdlog::async_logger> make_logger(const std::shared_ptr<spdlog::details::thread_pool>& room) const {
    auto made =
      std::make_shared<spdlog::async_logger>("agent", out, room, spdlog::async_overflow_policy::overrun_oldest);
    made->set_pattern("%v");
    made->set_level(level_enum::warn);
    made->flush_on(level_enum::trace);
    return made;
  }
};

/// Never destroyed: the destructor would wait for the writer thread, which a stalled reader of stderr blocks.
log_state& state() {
  static auto& only = []() -> log_state& {
    auto* made = new log_state;
    std::atexit([] { flush(); });
    return *made;
  }();
  return only;
}

spdlog::async_logger& logger() {
  return *state().logger;
}

void write(level_enum level, std::string_view name, std::string_view message, fields extra) {
  if (logger().should_log(level))
    logger().log(level, spdlog::string_view_t{line_of(name, message, extra, empty_fields::written)});
}

} // namespace

bool set_level(std::string_view wanted) {
  const auto* found = find_level(wanted);
  if (!found)
    return false;
  state().level = found;
  logger().set_level(found->second);
  return true;
}

std::string_view level() noexcept {
  return state().level.load()->first;
}

bool is_level(std::string_view name) noexcept {
  return find_level(name) != nullptr;
}

bool debugging() noexcept {
  return logger().should_log(level_enum::debug);
}

/// Other threads may continue to log. Each writer takes the flush request from its queue after all earlier lines.
void flush() {
  logger().flush();
  state().audits->flush();
  const auto& waiting = state().waiting;
  for (int i = 0; i < 1000 && waiting.others->queue_size() + waiting.audits->queue_size() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

void debug(std::string_view message, fields extra) {
  write(level_enum::debug, "debug", message, extra);
}
void info(std::string_view message, fields extra) {
  write(level_enum::info, "info", message, extra);
}
void warning(std::string_view message, fields extra) {
  write(level_enum::warn, "warning", message, extra);
}
void error(std::string_view message, fields extra) {
  write(level_enum::err, "error", message, extra);
}

void audit(std::string_view message, fields extra) {
  if (auditing())
    state().audits->log(audit_level, spdlog::string_view_t{line_of("audit", message, extra, empty_fields::left_out)});
}

losses lost() {
  return state().waiting.lost();
}

void set_audit(bool wanted) noexcept {
  state().auditing = wanted;
}

bool auditing() noexcept {
  return state().auditing.load(std::memory_order_relaxed);
}

} // namespace mistify::rpc::log
