#include "http/api/routes.hpp"
#include "job_load.hpp"
#include "rows.hpp"
#include "seed.hpp"

#include <deque>

namespace mistify::bench {

namespace {

/// The same speed, as far as this kind of measurement can tell.
constexpr double flat = 0.85;

constexpr database_size base{32, 1000}, more_guests{10'000, 1000}, more_jobs{32, 100'000};

using speed = std::function<double(const agent&, const database_size&)>;

/// The speed on a large database against that on a small one.
figure compare(lab& in, const std::string& work, const database_size& large, const speed& measure) {
  const auto big = in.start_agent(large), little = in.start_agent(base);
  const auto measured = measure_in_turn(
    in.how_much.rounds, [&] { return measure(big, large); }, [&] { return measure(little, base); });
  return {work, in_words(measured.ours) + "/s", in_words(measured.theirs) + "/s", measured.ratio, flat};
}

/// wrk over ids from 0 to `count`, in no order: what is asked for again and again would stay in the processor's caches.
double read_all_over(const lab& in, const agent& from, const std::string& what, const std::string& id,
                     std::size_t count) {
  const auto script =
    in.write("read.lua", "request = function()\n  return wrk.format('GET', string.format('/" + what + "/" + id +
                           "%012x', math.random(0, " + std::to_string(count - 1) + ")))\nend\n");
  return in.wrk(from.port(), "/", script).per_second;
}

std::string stem_of(std::string id) {
  id.resize(id.size() - 12);
  return id;
}

/// Look-ups a second.
double route_lookups(const std::vector<http::route>& table, std::chrono::milliseconds length) {
  const http::router routes{table};
  const std::vector<std::string> path{"guests", guest_id(0), "metrics", "cpu"};
  std::size_t count = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (; std::chrono::steady_clock::now() < begin + length; count += 100)
    for (int i = 0; i < 100; ++i)
      if (!routes.find("GET", path).row)
        throw std::runtime_error{"a route is missing"};
  return static_cast<double>(count) / std::chrono::duration<double>{std::chrono::steady_clock::now() - begin}.count();
}

figure compare_routes(lab& in) {
  auto large = http::routes();
  std::deque<std::string> patterns; // a route only points to its pattern
  for (int i = 0; i < 1000; ++i) {
    const auto& pattern = patterns.emplace_back("/more" + std::to_string(i) + "/{id}/metrics");
    large.push_back({"GET", pattern, actors::scope::read, http::routes().front().handle});
  }
  using namespace std::chrono_literals;
  const auto measured = measure_in_turn(
    in.how_much.rounds, [&] { return route_lookups(large, 200ms); },
    [&] { return route_lookups(http::routes(), 200ms); });
  return {"look-up of a route, 1,000 more routes : the API's", in_words(measured.ours) + "/s",
          in_words(measured.theirs) + "/s", measured.ratio, flat};
}

} // namespace

std::vector<figure> row_flat(lab& in) {
  const auto read_guests = [&](const agent& from, const database_size& size) {
    return read_all_over(in, from, "guests", stem_of(guest_id(0)), size.guests);
  };
  const auto read_jobs = [&](const agent& from, const database_size& size) {
    return read_all_over(in, from, "jobs", stem_of(job_id(0)), size.jobs);
  };
  const auto run_jobs = [&](const agent& on, const database_size&) {
    return jobs_per_second(on.port(), in.how_much.length);
  };
  return {compare(in, "GET guest, 10,000 guests : 32", more_guests, read_guests),
          compare(in, "GET job, 100,000 jobs in the log : 1,000", more_jobs, read_jobs),
          compare(in, "async jobs, 10,000 guests : 32", more_guests, run_jobs),
          compare(in, "async jobs, 100,000 jobs in the log : 1,000", more_jobs, run_jobs), compare_routes(in)};
}

} // namespace mistify::bench
