#include "rpc/base/log.hpp"

#include "rpc/base/json.hpp"
#include "rpc/base/line_writer.hpp"
#include "rpc/base/log_losses.hpp"
#include "rpc/base/time.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <unistd.h>

namespace mistify::rpc::log {

namespace {

/// Most lines have all of their fields; audit lines omit empty ones.
enum class empty_fields : std::uint8_t { written, left_out };

enum class severity : std::uint8_t { debug, info, warning, error, critical };

using named_level = std::pair<std::string_view, severity>;
constexpr std::array<named_level, 6> levels{{
  {"debug", severity::debug},
  {"info", severity::info},
  {"warning", severity::warning},
  {"error", severity::error},
  {"critical", severity::critical},
  {"fatal", severity::critical},
}};

const named_level* find_level(std::string_view name) noexcept {
  const auto* found = std::find_if(levels.begin(), levels.end(), [&](const auto& row) { return row.first == name; });
  return found == levels.end() ? nullptr : found;
}

/// The queues of lines. Other lines never displace audit lines.
constexpr std::size_t others = 0, audits = 1;
constexpr std::size_t most_others = 8192, most_audits = 2048;

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

/// Returns false if stderr has no reader. Writes to the descriptor, not to `stderr`: the exit of the process flushes
/// `stderr`, and would wait if its reader stalls.
bool write_all(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR)
      return false;
    text.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
  }
  return true;
}

class log_state {
public:
  std::atomic<const named_level*> level = find_level("warning");
  std::atomic<bool> auditing = true;

  bool should_log(severity which) const noexcept { return which >= level.load(std::memory_order_relaxed)->second; }

  /// Any message becomes valid JSON.
  void add(std::size_t queue, std::string line) { writer_.add(queue, std::move(line += '\n')); }

  void flush() { writer_.flush(std::chrono::seconds{1}); }

  losses lost() const {
    return {writer_.dropped(audits) + unwritten_[audits], writer_.dropped(others) + unwritten_[others]};
  }

private:
  /// On the writer's thread.
  void write(std::size_t queue, const std::string& line) {
    tell_losses();
    if (!write_all(line))
      ++unwritten_[queue];
  }

  void tell_losses() {
    const auto now = lost();
    if (now == told_)
      return;
    const auto line = line_of(
      "warning", "lines of the log were lost",
      {{"lines", std::to_string(now.other - told_.other)}, {"audit_lines", std::to_string(now.audit - told_.audit)}},
      empty_fields::written);
    if (write_all(line + '\n'))
      told_ = now;
  }

  std::array<std::atomic<std::uint64_t>, 2> unwritten_{};
  losses told_;
  line_writer writer_{{most_others, most_audits},
                      [this](std::size_t queue, const std::string& line) { write(queue, line); }};
};

/// Never destroyed: the writer's thread, which a stalled reader of stderr blocks, uses it until the process ends.
log_state& state() {
  static auto& only = []() -> log_state& {
    auto* made = new log_state;
    std::atexit([] { flush(); });
    return *made;
  }();
  return only;
}

void write(severity level, std::string_view name, std::string_view message, fields extra) {
  if (state().should_log(level))
    state().add(others, line_of(name, message, extra, empty_fields::written));
}

} // namespace

bool set_level(std::string_view wanted) {
  const auto* found = find_level(wanted);
  if (!found)
    return false;
  state().level = found;
  return true;
}

std::string_view level() noexcept {
  return state().level.load()->first;
}

bool is_level(std::string_view name) noexcept {
  return find_level(name) != nullptr;
}

bool debugging() noexcept {
  return state().should_log(severity::debug);
}

void flush() {
  state().flush();
}

void debug(std::string_view message, fields extra) {
  write(severity::debug, "debug", message, extra);
}
void info(std::string_view message, fields extra) {
  write(severity::info, "info", message, extra);
}
void warning(std::string_view message, fields extra) {
  write(severity::warning, "warning", message, extra);
}
void error(std::string_view message, fields extra) {
  write(severity::error, "error", message, extra);
}

void audit(std::string_view message, fields extra) {
  if (auditing())
    state().add(audits, line_of("audit", message, extra, empty_fields::left_out));
}

losses lost() {
  return state().lost();
}

void set_audit(bool wanted) noexcept {
  state().auditing = wanted;
}

bool auditing() noexcept {
  return state().auditing.load(std::memory_order_relaxed);
}

} // namespace mistify::rpc::log
