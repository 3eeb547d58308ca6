#include "http/api/views/prometheus_writer.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace mistify::http;
namespace metrics = mistify::rpc::metrics;

TEST_CASE("counters, gauges and functions come out as Prometheus has them") {
  metrics::registry all;
  all.add_counter("calls_total", "Calls.", {{"service", "a"}}).add(2);
  all.add_counter("calls_total", "Calls.", {{"service", "b"}});
  all.add_gauge("level", "A level.").add(-1);
  all.add_function(metrics::kind::gauge, "half", "A half.", [] { return 0.5; });
  CHECK(render(all) == "# HELP calls_total Calls.\n# TYPE calls_total counter\n"
                       "calls_total{service=\"a\"} 2\ncalls_total{service=\"b\"} 0\n"
                       "# HELP level A level.\n# TYPE level gauge\nlevel -1\n"
                       "# HELP half A half.\n# TYPE half gauge\nhalf 0.5\n");
}

TEST_CASE("the buckets of a histogram count what is in those before them too") {
  metrics::registry all;
  auto& spread = all.add_histogram("d_seconds", "D.", metrics::seconds({0.1, 1}), {{"k", "v"}});
  spread.observe(std::chrono::milliseconds{50});
  spread.observe(std::chrono::milliseconds{500});
  spread.observe(std::chrono::seconds{2});
  CHECK(render(all) == "# HELP d_seconds D.\n# TYPE d_seconds histogram\n"
                       "d_seconds_bucket{k=\"v\",le=\"0.1\"} 1\n"
                       "d_seconds_bucket{k=\"v\",le=\"1\"} 2\n"
                       "d_seconds_bucket{k=\"v\",le=\"+Inf\"} 3\n"
                       "d_seconds_sum{k=\"v\"} 2.55\n"
                       "d_seconds_count{k=\"v\"} 3\n");
}

TEST_CASE("nothing in a label or a help text breaks out of it") {
  prometheus_writer page;
  page.family("x", "two\nlines \\ \"quoted\"", "gauge");
  page.sample({{"a", "q\"b\\c\nd"}, {"b", ""}}, 1);
  const std::string expected{"# HELP x two\\nlines \\\\ \"quoted\"\n# TYPE x gauge\n"
                             "x{a=\"q\\\"b\\\\c\\nd\",b=\"\"} 1\n"};
  CHECK(page.take() == expected);
}

TEST_CASE("numbers are exact, and large whole ones have no exponent") {
  prometheus_writer page;
  page.family("x", "X.", "gauge");
  page.take();
  const auto shown = [&](double value) {
    page.sample(value);
    const auto line = page.take();
    return std::string{line, 2, line.size() - 3}; // without name and line end
  };
  CHECK(shown(9007199254740991) == "9007199254740991");
  CHECK(shown(0.1) == "0.1");
  CHECK(shown(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(shown(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(shown(std::numeric_limits<double>::quiet_NaN()) == "NaN");
}
