#pragma once

#include "lab.hpp"
#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/fetch.hpp"
#include "web_source.hpp"

#include <fstream>

namespace mistify::test {

/// Fetches from a source on this host into a file.
struct fetch_lab {
  temp_dir dir;
  std::filesystem::path file = dir.path() / "fetched";
  agents::storage::fetch_limits limits{.first_pause = std::chrono::milliseconds{1},
                                       .longest_pause = std::chrono::milliseconds{4}};
  agents::storage::fetch_progress progress;
  std::vector<std::string> files;
  agents::storage::reader_settings reading{.nets = {"127.0.0.0/8"}, .stall_time = std::chrono::seconds{1}};
  std::function<bool()> stop = [] { return false; };
  web_source web;

  fetch_lab() { web.body.append(text(300'000)); }

  static std::string text(std::size_t size) {
    std::string made;
    for (unsigned i = 0; made.size() < size; ++i)
      made += std::to_string(i * 2654435761U);
    return made;
  }

  /// Returns the format; stores the fetched bytes in `content`.
  std::string get(const std::string& url, const std::string& sum = "") {
    reading.files = files;
    agents::storage::fetch f{{url, sum, also}, limits, reading, stop, progress};
    auto format = f.run(file);
    std::ifstream in{file, std::ios::binary};
    content.assign(std::istreambuf_iterator<char>{in}, {});
    return format;
  }
  std::string content, also;

  static std::string sum_of(const std::string& bytes) {
    agents::storage::sha256 sum;
    sum.add(bytes);
    return sum.hex();
  }
  std::string qcow2(std::vector<std::string> arguments) {
    const auto made = (dir.path() / "made.qcow2").string();
    arguments.insert(arguments.begin(), {"qemu-img", "create", "-q", "-f", "qcow2"});
    arguments.insert(arguments.end(), {made, "4M"});
    agents::storage::run(arguments);
    std::ifstream in{made, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
};

} // namespace mistify::test
