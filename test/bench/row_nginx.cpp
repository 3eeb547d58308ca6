#include "nginx.hpp"
#include "process_figures.hpp"
#include "rows.hpp"
#include "seed.hpp"

// The agent beside nginx, which is what people put at a door.
namespace mistify::bench {

namespace {

constexpr database_size small{10, 1000};

/// One side of a comparison: where it listens, and the CPU time that it has used.
struct side {
  std::uint16_t port = 0;
  std::function<std::chrono::nanoseconds()> cpu;
};

struct load_figures {
  double per_second = 0, p99_us = 0, cpu_us = 0; ///< CPU time a request
};

load_figures load(const lab& in, const side& on, const std::string& path) {
  const auto before = on.cpu();
  const auto came = in.wrk(on.port, path);
  const std::chrono::duration<double, std::micro> used = on.cpu() - before;
  return {came.per_second, came.p99_us, used.count() / came.requests};
}

/// The same figure of both sides, and its ratio, as medians.
pairs compare(const std::vector<load_figures>& ours, const std::vector<load_figures>& theirs,
              double load_figures::*which) {
  std::size_t next_ours = 0, next_theirs = 0;
  return measure_in_turn(
    static_cast<int>(ours.size()), [&] { return ours[next_ours++].*which; },
    [&] { return theirs[next_theirs++].*which; });
}

/// What a race is held to.
struct goals {
  double rate = 0;
  double cpu = 0; ///< 0: not measured
  double p99 = 0; ///< 0: not measured
};

std::vector<figure> race(const lab& in, const std::string& work, const std::vector<side>& two, const std::string& path,
                         const goals& held_to) {
  std::vector<load_figures> ours, theirs;
  for (int i = 0; i < in.how_much.rounds; ++i) {
    ours.push_back(load(in, two[0], path));
    theirs.push_back(load(in, two[1], path));
  }
  const auto rate = compare(ours, theirs, &load_figures::per_second);
  std::vector<figure> table{{work, in_words(rate.ours) + "/s", in_words(rate.theirs) + "/s", rate.ratio, held_to.rate}};
  if (held_to.p99 > 0) {
    const auto p99 = compare(ours, theirs, &load_figures::p99_us);
    table.push_back({"  the slowest hundredth of these", in_words(p99.ours / 1000, 2) + " ms",
                     in_words(p99.theirs / 1000, 2) + " ms", p99.ratio, held_to.p99, false});
  }
  if (held_to.cpu > 0) {
    const auto cpu = compare(ours, theirs, &load_figures::cpu_us);
    table.push_back({"  processor time for each", in_words(cpu.ours, 1) + " us", in_words(cpu.theirs, 1) + " us",
                     cpu.ratio, held_to.cpu, false});
  }
  return table;
}

std::string body_of(std::uint16_t port, const std::string& path) {
  return http_link{port}.ask("GET", path).body;
}

/// nginx, started and answering.
struct running_nginx {
  std::uint16_t port = test::free_port();
  nginx process;

  running_nginx(const lab& in, const std::string& path, const std::string& text) : process{in, port, {{path, text}}} {
    const auto answers = [&] {
      try {
        return http_link{port}.ask("GET", path).status() == 200;
      } catch (const std::exception&) {
        return false; // does not listen yet
      }
    };
    if (!test::eventually([&] { return !process.running() || answers(); }) || !process.running())
      throw std::runtime_error{"nginx does not answer"};
  }

  side as_side() const {
    return {port, [this] { return process.cpu(); }};
  }
};

side side_of(const agent& one) {
  return {one.port(), [&one] { return cpu_time(one.id()); }};
}

void expect_same(std::uint16_t a, std::uint16_t b, const std::string& path) {
  if (body_of(a, path) != body_of(b, path))
    throw std::runtime_error{"nginx answers something else to " + path};
}

} // namespace

std::vector<figure> row_nginx_get(lab& in) {
  const auto ours = in.start_agent(small);
  const auto path = "/guests/" + guest_id(0);
  const running_nginx theirs{in, path, nginx_return(body_of(ours.port(), path))};
  expect_same(ours.port(), theirs.port, path);
  return race(in, "GET guest : nginx returns the same bytes", {side_of(ours), theirs.as_side()}, path, {1.0, 1.2, 1.5});
}

std::vector<figure> row_nginx_metrics(lab& in) {
  const auto ours = in.start_agent(small);
  const auto guest = "/guests/" + guest_id(0), path = guest + "/metrics/cpu";
  const auto call =
    R"({"method":"Test.CpuMetrics","params":[{"guest":)" + body_of(ours.port(), guest) + R"(,"type":"cpu"}],"id":0})";
  const running_nginx theirs{in, path, nginx_call("/_mistify_RPC_", call)};
  return race(in, "GET metrics/cpu : nginx passes the same call", {side_of(ours), theirs.as_side()}, path, {0.85, 1.5});
}

std::vector<figure> row_nginx_download(lab& in) {
  constexpr double mib = 1024 * 1024;
  const auto ours = in.start_agent(small);
  const auto path = "/guests/" + guest_id(0) + "/snapshots/s/download";
  const running_nginx theirs{in, path, nginx_download(in.how_much.download)};
  const auto rate = [&](std::uint16_t port) {
    const auto begin = std::chrono::steady_clock::now();
    const auto size = http_link{port}.ask_and_drop("GET", path);
    return static_cast<double>(size) / mib /
           std::chrono::duration<double>{std::chrono::steady_clock::now() - begin}.count();
  };
  const auto measured = measure_in_turn(
    in.how_much.rounds, [&] { return rate(ours.port()); }, [&] { return rate(theirs.port); });
  return {{"download : nginx as a proxy", in_words(measured.ours) + " MiB/s", in_words(measured.theirs) + " MiB/s",
           measured.ratio, 1.2}};
}

std::vector<figure> row_nginx_list(lab& in) {
  const auto ours = in.start_agent({10'000, 1000});
  const std::string path = "/guests";
  const running_nginx theirs{in, path, nginx_file(in.write("guests.json", body_of(ours.port(), path)))};
  expect_same(ours.port(), theirs.port, path);
  return race(in, "list of 10,000 guests : nginx has it as a file", {side_of(ours), theirs.as_side()}, path, {0.5});
}

} // namespace mistify::bench
