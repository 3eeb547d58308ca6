#include "http/cli/mistify/bar.hpp"
#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/interrupt.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/text.hpp"
#include "http/cli/mistify/usage.hpp"
#include "http/client/job_waiter.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <poll.h>
#include <termios.h>
#include <thread>
#include <unistd.h>

namespace mistify::cli {

namespace {

/// The terminal of `top`: a screen of its own, and keys without Enter.
class live_screen {
public:
  live_screen() {
    if (::tcgetattr(STDIN_FILENO, &before()) == 0) {
      termios now = before();
      now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
      has_keys_ = true;
    }
    print("\x1b[?1049h\x1b[?25l");
    interrupt::on_end([keys = has_keys_] { restore(keys); });
  }
  ~live_screen() {
    interrupt::on_end({});
    restore(has_keys_);
  }
  live_screen(const live_screen&) = delete;
  live_screen& operator=(const live_screen&) = delete;

  /// Waits; returns true where `q` was pressed.
  bool wait_for_quit(std::chrono::milliseconds longest) const {
    if (!has_keys_) {
      std::this_thread::sleep_for(longest);
      return false;
    }
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    if (::poll(&keys, 1, static_cast<int>(longest.count())) <= 0)
      return false;
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
  }

private:
  static termios& before() {
    static termios saved;
    return saved;
  }
  static void restore(bool keys) {
    constexpr std::string_view back = "\x1b[?25h\x1b[?1049l";
    std::fflush(stdout);
    if (::write(STDOUT_FILENO, back.data(), back.size()) < 0) {
      // The terminal was closed: there are no settings to restore.
    }
    if (keys)
      ::tcsetattr(STDIN_FILENO, TCSANOW, &before());
  }
  bool has_keys_ = false;
};

std::string percent_text(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", share * 100);
  return text.data();
}

std::string page_of(const std::vector<guest_usage>& all, std::size_t lines, std::size_t columns) {
  std::vector<std::vector<std::string>> cells{{"GUEST", "CPU %", "READ/s", "WRITE/s", "RX/s", "TX/s"}};
  for (const auto& one : all) {
    if (lines > 0 && cells.size() >= lines)
      break;
    if (one.known)
      cells.push_back({one.name, percent_text(one.cpu), bytes_text(one.read), bytes_text(one.write), bytes_text(one.rx),
                       bytes_text(one.tx)});
    else
      cells.push_back({one.name, "-", "-", "-", "-", "-"});
  }
  auto table = align(cells, false);
  if (columns == 0)
    return table;
  std::string page;
  for (std::size_t at = 0; at < table.size();) {
    const auto end = table.find('\n', at);
    page += cut_to(std::string_view{table}.substr(at, end - at), columns) + "\x1b[K\r\n";
    at = end + 1;
  }
  return page;
}

std::chrono::milliseconds delay_of(const context& cx) {
  constexpr std::uint64_t usual = 2, most = 3600;
  return std::chrono::seconds{cx.number("--delay", 1, most).value_or(usual)};
}

/// Looks again and again; `show` gets the guests and returns false to end.
template <class F>
void look(context& cx, usage_meter& meter, F show) {
  const auto by = cx.args.text("--sort");
  auto last = std::chrono::steady_clock::now();
  for (bool more = true; more;) {
    try {
      const auto names = all_guests(cx.agent());
      meter.take(cx.agent().guest_metrics(), std::chrono::steady_clock::now());
      last = std::chrono::steady_clock::now();
      more = show(meter.usage(names, by.empty() ? "cpu" : by));
    } catch (const client::failure& e) {
      if (!client::looks_like_restart(e) || meter.looks() == 0 ||
          std::chrono::steady_clock::now() - last >= client::client::outage)
        throw;
      std::this_thread::sleep_for(std::chrono::milliseconds{300});
    }
  }
}

int show_live(context& cx, std::optional<std::uint64_t> count) {
  const live_screen screen;
  usage_meter meter;
  look(cx, meter, [&](const std::vector<guest_usage>& all) {
    const auto lines = lines_of_output();
    print("\x1b[H" + page_of(all, lines > 2 ? lines - 1 : 2, columns_of_output()) + "\x1b[J");
    flush_output();
    return !(count && meter.looks() >= *count) && !screen.wait_for_quit(delay_of(cx));
  });
  return code(status::done);
}

/// Rates need two figures, and the agent's cache is behind: what comes before the first rate is not shown. The pause
/// before it is short, and it is not waited for where no guest has any figure.
int show_plain(context& cx, std::uint64_t count) {
  constexpr std::chrono::milliseconds pause_before{250}, longest_before{6'000}, without_figures{1'000};
  const auto begin = std::chrono::steady_clock::now();
  usage_meter meter;
  std::uint64_t shown = 0;
  look(cx, meter, [&](const std::vector<guest_usage>& all) {
    const auto waited = std::chrono::steady_clock::now() - begin;
    if (shown > 0 || meter.has_rates() || waited >= (meter.has_figures() ? longest_before : without_figures)) {
      print(page_of(all, 0, 0));
      flush_output();
      ++shown;
    }
    const bool more = shown < count;
    if (more)
      std::this_thread::sleep_for(shown > 0 ? delay_of(cx) : pause_before);
    return more;
  });
  return code(status::done);
}

} // namespace

int show_top(context& cx) {
  constexpr std::array columns{"guest", "cpu", "read", "write", "rx", "tx"};
  if (cx.args.has("--sort") && std::ranges::find(columns, cx.args.text("--sort")) == columns.end())
    throw give_up{status::usage, "--sort: must be guest, cpu, read, write, rx or tx"};
  const auto count = cx.number("--count", 1, 1'000'000);
  return output_is_terminal() ? show_live(cx, count) : show_plain(cx, count.value_or(1));
}

} // namespace mistify::cli
