#include "rpc/log.hpp"

#include "rpc/codec.hpp"
#include "rpc/json.hpp"

#include <spdlog/async.h>
#include <spdlog/details/null_mutex.h>
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
#include <thread>
#include <unistd.h>

namespace mistify::rpc::log {

namespace {

using spdlog::level::level_enum;

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

/// Writes past `stderr`: the end of the process flushes that, and would wait for a line that a stalled reader holds up.
class stderr_sink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> { // has one writer
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    for (std::size_t done = 0; done < line.size();) {
      const auto n = ::write(STDERR_FILENO, line.data() + done, line.size() - done);
      if (n < 0 && errno != EINTR)
        return; // there is nobody to tell
      done += n < 0 ? 0 : static_cast<std::size_t>(n);
    }
  }
  void flush_() override {}
};

constexpr std::size_t most_waiting_lines = 8192;

/// spdlog's thread must not take the signals that the daemon waits for: it begins with all of them blocked.
std::shared_ptr<spdlog::details::thread_pool> make_writer() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto writer = std::make_shared<spdlog::details::thread_pool>(most_waiting_lines, 1);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return writer;
}

/// The line is built here, so that whatever a message holds comes out as valid JSON; spdlog filters, queues and writes.
struct log_state {
  std::shared_ptr<spdlog::details::thread_pool> writer = make_writer();
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
    "agent", std::make_shared<stderr_sink>(), writer, spdlog::async_overflow_policy::overrun_oldest);

  std::atomic<const named_level*> level = find_level("warning");
  std::atomic<bool> auditing = true;

  log_state() {
    logger->set_pattern("%v");
    logger->set_level(level_enum::warn);
    logger->flush_on(level_enum::trace);
  }
};

/// Never destroyed: that would wait for the writer, which a stalled reader of stderr holds up for ever.
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

/// Most lines have all of their fields; audit lines those that say something.
enum class empty_fields : std::uint8_t { written, left_out };

void put(level_enum level, std::string_view name, std::string_view message, fields extra, empty_fields how) {
  const auto now = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  rpc::json::writer line;
  line.begin_object().key("level").value(name).key("msg").value(message).key("time").value(rpc::encode(now));
  for (const auto& [key, value] : extra)
    if (how == empty_fields::written || !value.empty())
      line.key(key).value(value);
  line.end_object();
  logger().log(level, spdlog::string_view_t{line.str()});
}

void write(level_enum level, std::string_view name, std::string_view message, fields extra) {
  if (logger().should_log(level))
    put(level, name, message, extra, empty_fields::written);
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

/// Other threads may go on to log. The one writer takes the request to flush out of the queue when it has written all that
/// came before.
void flush() {
  logger().flush();
  for (int i = 0; i < 1000 && state().writer->queue_size() > 0; ++i)
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

/// To spdlog it is of the highest level, which no setting drops.
void audit(std::string_view message, fields extra) {
  if (auditing())
    put(level_enum::critical, "audit", message, extra, empty_fields::left_out);
}

void set_audit(bool wanted) noexcept {
  state().auditing = wanted;
}

bool auditing() noexcept {
  return state().auditing.load(std::memory_order_relaxed);
}

} // namespace mistify::rpc::log
