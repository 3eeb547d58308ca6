#include "process_figures.hpp"
#include "rows.hpp"
#include "seed.hpp"

#include <future>

namespace mistify::bench {

namespace {

constexpr double mib = 1024 * 1024;
constexpr std::size_t at_once = 5;

/// MiB a second.
double rate(std::uint16_t port, const char* method, const std::string& path) {
  const auto begin = std::chrono::steady_clock::now();
  const auto size = http_link{port}.ask_and_drop(method, path);
  return static_cast<double>(size) / mib /
         std::chrono::duration<double>{std::chrono::steady_clock::now() - begin}.count();
}

std::string download_path(std::size_t guest) {
  return "/guests/" + guest_id(guest) + "/snapshots/s/download";
}

figure memory_with_five(const agent& of) {
  forget_peak(of.id());
  std::vector<std::future<double>> running;
  for (std::size_t i = 0; i < at_once; ++i)
    running.push_back(std::async(std::launch::async, rate, of.port(), "GET", download_path(i)));
  for (auto& one : running)
    one.get();
  return {"agent's peak memory, 5 downloads at once",
          "",
          "",
          static_cast<double>(peak_resident(of.id())) / mib,
          64,
          false,
          "MiB"};
}

} // namespace

std::vector<figure> row_download(lab& in) {
  const auto ours = in.start_agent({10, 1000});
  const auto direct = "/download/" + std::to_string(in.how_much.download);
  const auto measured = measure_in_turn(
    in.how_much.rounds, [&] { return rate(ours.port(), "GET", download_path(0)); },
    [&] { return rate(in.sub_agent_port(), "POST", direct); });
  return {{"download : straight from the sub-agent", in_words(measured.ours) + " MiB/s",
           in_words(measured.theirs) + " MiB/s", measured.ratio, 0.60},
          memory_with_five(ours)};
}

} // namespace mistify::bench
