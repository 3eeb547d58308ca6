// Measures the agent against what the libraries under it can do at all, each goal as a ratio, and prints a table.
// etc/bench.sh builds and runs it.

#include "rows.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>

namespace mistify::bench {

std::string in_words(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  std::string out{text};
  const auto point = std::min(out.find('.'), out.size());
  for (auto at = point; at > 3; at -= 3)
    out.insert(at - 3, ",");
  return out;
}

namespace {

struct named_row {
  const char* name;
  row measure;
};

const std::vector<named_row>& all_rows() {
  static const std::vector<named_row> rows{
    {"get", row_get},
    {"metrics", row_metrics},
    {"jobs", row_jobs},
    {"alone", row_alone},
    {"download", row_download},
    {"memory", row_memory},
    {"idle", row_idle},
    {"hang", row_hang},
    {"start", row_start},
    {"ready", row_ready},
    {"look", row_look},
    {"flat", row_flat},
    {"nginx-get", row_nginx_get},
    {"nginx-metrics", row_nginx_metrics},
    {"nginx-download", row_nginx_download},
    {"nginx-list", row_nginx_list},
    {"tls", row_tls},
  };
  return rows;
}

constexpr const char* line_format = "%-50s %14s %14s %9s %10s  %s\n";

void print(const figure& f) {
  const auto unit = f.unit.empty() ? "" : ' ' + f.unit;
  const auto value = in_words(f.value, f.unit == "ms" ? 0 : 2) + unit;
  const auto goal = (f.at_least ? ">= " : "<= ") + in_words(f.goal, f.unit.empty() ? 2 : 0) + unit;
  std::printf(line_format, f.work.c_str(), f.ours.c_str(), f.theirs.c_str(), value.c_str(), goal.c_str(),
              f.met() ? "met" : "MISSED");
  std::fflush(stdout);
}

void run(const std::vector<std::string>& wanted, const extent& how_much) {
  lab in{how_much};
  std::printf(line_format, "work : against", "agent", "against", "ratio", "goal", "");
  for (const auto& [name, measure] : all_rows())
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end())
      for (const auto& f : measure(in))
        print(f);
}

} // namespace

} // namespace mistify::bench

int main(int argc, char** argv) {
  using namespace mistify::bench;
  CLI::App app{"Measures the agent against what the libraries under it can do."};
  std::vector<std::string> wanted, names;
  for (const auto& row : all_rows())
    names.emplace_back(row.name);
  bool quick = false;
  app.add_option("rows", wanted, "only these rows")->check(CLI::IsMember(names));
  app.add_flag("--quick", quick, "shorter and fewer measurements: figures for a first look");
  CLI11_PARSE(app, argc, argv);
  try {
    using namespace std::chrono_literals;
    run(wanted, quick ? extent{1s, 3, 3s, std::size_t{256} << 20} : extent{});
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "bench: " << e.what() << '\n';
    return 1;
  }
}
