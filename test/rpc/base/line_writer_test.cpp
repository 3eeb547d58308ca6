#include "rpc/base/line_writer.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <mutex>

using namespace mistify::rpc;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t first = 0, second = 1;

/// What the writers' threads have written. They outlive the test, so they share it.
class written_lines {
public:
  void add(std::size_t queue, const std::string& line) {
    const std::lock_guard lock{mutex_};
    all_.push_back(std::to_string(queue) + ' ' + line);
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock{mutex_};
    return all_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

/// A sink that is entered once, and is held there until `open`.
struct held_sink {
  std::promise<void> entered, opened;
  std::shared_future<void> may_go = opened.get_future().share();
  std::once_flag once;
  written_lines lines;

  void write(std::size_t queue, const std::string& line) {
    std::call_once(once, [this] { entered.set_value(); });
    may_go.wait();
    lines.add(queue, line);
  }
};

} // namespace

TEST_CASE("lines of all queues are written in the order in which they came") {
  const auto lines = std::make_shared<written_lines>();
  line_writer writer{{10, 10}, [lines](auto queue, const auto& line) { lines->add(queue, line); }};
  writer.add(first, "a"), writer.add(second, "b"), writer.add(first, "c"), writer.add(second, "d");
  CHECK(writer.flush(10s));
  CHECK(lines->all() == std::vector<std::string>{"0 a", "1 b", "0 c", "1 d"});
  CHECK(writer.dropped(first) + writer.dropped(second) == 0);
}

TEST_CASE("a full queue drops its own oldest lines, while the sink is held up") {
  const auto sink = std::make_shared<held_sink>();
  line_writer writer{{2, 2}, [sink](auto queue, const auto& line) { sink->write(queue, line); }};
  writer.add(second, "held");
  sink->entered.get_future().wait();
  writer.add(second, "kept");
  for (const auto* line : {"a", "b", "c", "d", "e"})
    writer.add(first, line);
  CHECK(writer.dropped(first) == 3);
  CHECK(writer.dropped(second) == 0);
  CHECK_FALSE(writer.flush(0ms));
  sink->opened.set_value();
  CHECK(writer.flush(10s));
  CHECK(sink->lines.all() == std::vector<std::string>{"1 held", "1 kept", "0 d", "0 e"});
}
