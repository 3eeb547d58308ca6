#include "lab.hpp"

#include "seed.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <thread>

namespace mistify::bench {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Beside the binaries: a folder for temporary files may be in memory, where fsync costs nothing.
std::string new_folder() {
  auto name = (fs::path{AGENT_BINARY}.parent_path() / "bench-XXXXXX").string();
  if (!::mkdtemp(name.data()))
    throw std::runtime_error{"cannot make a folder beside " AGENT_BINARY};
  return name;
}

/// Places for all that the benchmark has under way, so that none of its figures is one of a bound.
std::string config_text(const lab& in, const database_size& size, const std::string& database,
                        const tls_listener& with) {
  const auto tls = with.port == 0 ? std::string{}
                                  : R"("tls":{"cert":")" + with.cert + R"(","key":")" + with.key +
                                      R"("},"http":{"listen":["127.0.0.1:)" + std::to_string(with.port) + R"("]},)";
  const auto fast = std::to_string(in.sub_agent_port());
  return R"({"services":{"fast":{"port":)" + fast + R"(,"max_pending":64},"download":{"port":)" + fast +
         R"(,"path":"/download/)" + std::to_string(in.how_much.download) + R"(","max_pending":8},"hanging":{"port":)" +
         std::to_string(in.hanging_port()) + R"(,"max_pending":100,"timeout":60}},
"actions":{"reboot":{"stages":[{"service":"fast","method":"Test.Reboot"}]},
"cpuMetrics":{"stages":[{"service":"fast","method":"Test.CpuMetrics"}]},
"diskMetrics":{"stages":[{"service":"hanging","method":"Test.Hang"}]},
"suspend":{"stages":[{"service":"hanging","method":"Test.Hang"}]},
"downloadSnapshot":{"stages":[{"service":"download","method":"Test.Download"}]}},
)" + tls +
         R"("limits":{"jobs":)" + std::to_string(size.jobs) + R"(},"dbpath":")" + database + "\"}";
}

void copy_with_wal(const std::string& from, const std::string& to) {
  for (const auto* suffix : {"", "-wal"})
    if (fs::exists(from + suffix))
      fs::copy_file(from + suffix, to + suffix);
}

bool answers(std::uint16_t port, const std::string& path) {
  try {
    return http_link{port}.ask("GET", path).status() == 200;
  } catch (const std::exception&) {
    return false; // does not listen yet
  }
}

bool listens(std::uint16_t port) {
  try {
    const http_link connected{port};
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

} // namespace

lab::lab(extent e)
  : how_much{e}, folder_{new_folder()}, sub_agent_port_{test::free_port()}, hanging_port_{test::free_port()},
    sub_agent_{std::make_unique<child>(start_sub_agent(sub_agent_port_))} {}

lab::~lab() {
  sub_agent_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

child lab::start_sub_agent(std::uint16_t port) const {
  child started{{SUB_AGENT_BINARY, std::to_string(port)}, file("sub-agent.log")};
  if (!test::eventually([&] { return !started.running() || listens(port); }) || !started.running())
    throw std::runtime_error{"the sub-agent does not listen"};
  return started;
}

child lab::start_bare(std::uint16_t port, const std::string& path, const std::vector<std::string>& words) const {
  std::vector<std::string> all{BARE_BINARY, std::to_string(port), path};
  all.insert(all.end(), words.begin(), words.end());
  child started{all, file("bare.log")};
  wait_for_answer(started, port, path);
  return started;
}

std::string lab::seeded(const database_size& size) {
  auto& known = seeds_[size];
  if (known.empty()) {
    known = file("seed-" + std::to_string(size.guests) + '-' + std::to_string(size.jobs) + ".db");
    seed(known, size.guests, size.jobs);
  }
  return known;
}

agent lab::start_agent(const database_size& size, disk on) {
  return start(size, on, {});
}

agent lab::start_agent(const database_size& size, const tls_listener& with) {
  return start(size, disk::as_it_is, with);
}

agent lab::start(const database_size& size, disk on, const tls_listener& with) {
  const auto name = "agent-" + std::to_string(++agents_);
  const auto database = file(name + ".db");
  copy_with_wal(seeded(size), database);
  return {write(name + ".json", config_text(*this, size, database, with)), file(name + ".log"), on,
          size.guests == 0 ? "/guests" : "/guests/" + guest_id(0)};
}

std::string lab::write(const std::string& name, std::string_view text) const {
  auto path = file(name);
  std::ofstream{path, std::ios::binary} << text;
  return path;
}

agent::agent(std::string config, std::string output, disk on, std::string path)
  : config_{std::move(config)}, output_{std::move(output)}, path_{std::move(path)}, disk_{on}, port_{
                                                                                                 test::free_port()} {
  start();
}

void agent::start() {
  std::vector<std::string> words{AGENT_BINARY, "-a", "tcp:127.0.0.1:" + std::to_string(port_), "-c", config_};
  if (disk_ == disk::slow)
    words.insert(words.begin(), {"env", "LD_PRELOAD=" SLOW_DISK});
  process_ = std::make_unique<child>(words, output_);
  wait_for_answer(*process_, port_, path_);
}

std::chrono::nanoseconds agent::kill_and_start() {
  process_->kill();
  const auto begin = std::chrono::steady_clock::now();
  start();
  return std::chrono::steady_clock::now() - begin;
}

void wait_for_answer(child& server, std::uint16_t port, const std::string& path) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!answers(port, path)) {
    if (!server.running() || std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error{"a server does not answer " + path};
    std::this_thread::sleep_for(1ms);
  }
}

} // namespace mistify::bench
