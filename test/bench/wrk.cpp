#include "wrk.hpp"

#include "child.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace mistify::bench {

namespace {

using namespace std::chrono_literals;

/// The word behind `name`.
std::string value_of(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  if (at == std::string::npos)
    throw std::runtime_error{"wrk did not say \"" + name + "\":\n" + text};
  const auto begin = text.find_first_not_of(' ', at + name.size());
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

/// The word before `name`.
std::string value_before(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  if (at == std::string::npos || at == 0)
    throw std::runtime_error{"wrk did not say \"" + name + "\":\n" + text};
  const auto begin = text.find_last_of(" \n", at - 1) + 1;
  return text.substr(begin, at - begin);
}

/// "1.25ms" → 1250
double microseconds(const std::string& time) {
  std::size_t digits = 0;
  const auto number = std::stod(time, &digits);
  const auto unit = time.substr(digits);
  return unit == "us" ? number : unit == "ms" ? number * 1e3 : number * 1e6;
}

void expect_success(const std::string& text, const wrk_load& load) {
  for (const auto* trouble : {"Non-2xx", "Socket errors"})
    if (text.find(trouble) != std::string::npos)
      throw std::runtime_error{"not every answer to " + load.path + " was a success:\n" + text};
}

} // namespace

wrk_figures run_wrk(const wrk_load& load, const std::string& folder) {
  const auto output = folder + "/wrk.out";
  std::filesystem::remove(output);
  std::vector<std::string> words{"wrk",       "-t2",           "-c16",
                                 "--latency", "--timeout=20s", "-d" + std::to_string(load.length.count()) + "s"};
  if (!load.script.empty())
    words.insert(words.end(), {"-s", load.script});
  words.push_back((load.tls ? "https" : "http") + std::string{"://127.0.0.1:"} + std::to_string(load.port) + load.path);
  child{words, output}.finish(load.length + 15s);
  std::ifstream in{output};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  expect_success(text, load);
  return {std::stod(value_of(text, "Requests/sec:")), microseconds(value_of(text, " 99% ")),
          std::stod(value_before(text, " requests in "))};
}

} // namespace mistify::bench
