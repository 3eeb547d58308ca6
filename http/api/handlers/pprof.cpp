#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/parameters.hpp"
#include "http/pages.hpp"
#include "http/process/elf_symbols.hpp"
#include "http/process/profiler.hpp"
#include "rpc/base/error.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

// The endpoints of the tools `pprof` and `google-pprof`, with their paths and formats.
namespace mistify::http::handlers {

namespace {

answer plain(std::string body) {
  answer out;
  out.content_type = "text/plain; charset=utf-8";
  out.body = std::move(body);
  return out;
}

answer profile_answer(std::string profile) {
  answer out;
  out.content_type = "application/octet-stream";
  out.body = std::move(profile);
  return out;
}

/// Runs work that would block a worker too long on a thread of its own.
answer on_own_thread(std::function<answer(const rpc::cancellation& gone)> make) {
  answer out;
  out.body =
    streamed{[make = std::move(make)](download_channel& to) { return make(to.client_gone()); }, stream_kind::page};
  return out;
}

/// Returns the known names for "0x1234+0x5678", a line each.
std::string names_of(std::string_view addresses) {
  const symbol_table symbols;
  std::string lines;
  for (std::size_t at = 0; at < addresses.size();) {
    const auto end = std::min(addresses.find_first_of("+ ", at), addresses.size());
    auto text = addresses.substr(at, end - at);
    at = end + 1;
    auto digits = text.starts_with("0x") ? text.substr(2) : text;
    std::uintptr_t address = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), address, 16).ec != std::errc{})
      continue;
    if (const auto name = symbols.name_of(address); !name.empty())
      (((lines += text) += '\t') += name) += '\n';
  }
  return lines;
}

/// Returns the number of threads by name, from the kernel.
std::map<std::string, std::size_t> threads_by_name() {
  std::map<std::string, std::size_t> found;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator{"/proc/self/task", error}) {
    std::ifstream in{thread.path() / "comm"};
    if (std::string name; std::getline(in, name)) // otherwise it has ended meanwhile
      ++found[name];
  }
  return found;
}

} // namespace

task<answer> get_pprof_index(context&, request&) {
  co_return page_answer(pages::pprof);
}

task<answer> get_cpu_profile(context&, request& from) {
  const auto length = seconds_of(from);
  if (from.head_only) // tools check for redirections first
    co_return profile_answer({});
  co_return on_own_thread(
    [length](const rpc::cancellation& gone) { return profile_answer(profiler::cpu(length, gone)); });
}

task<answer> get_heap_profile(context&, request&) {
  co_return on_own_thread([](const rpc::cancellation&) { return plain(profiler::heap()); });
}

task<answer> get_growth_profile(context&, request&) {
  co_return on_own_thread([](const rpc::cancellation&) { return plain(profiler::growth()); });
}

/// Writes Go's format of counts. Names are comments, not samples, because the stacks that created the threads are
/// unknown.
task<answer> get_threads(context&, request&) {
  std::size_t all = 0;
  std::string lines;
  for (const auto& [name, count] : threads_by_name()) {
    all += count;
    lines += "# " + std::to_string(count) + ' ' + name + '\n';
  }
  co_return plain("threadcreate profile: total " + std::to_string(all) + '\n' + lines);
}

/// A GET without addresses checks whether symbols are available.
task<answer> get_symbols(context&, request& from) {
  constexpr std::string_view yes = "num_symbols: 1\n";
  if (from.query.empty())
    co_return plain(std::string{yes});
  co_return on_own_thread(
    [asked = from.query.front().name](const rpc::cancellation&) { return plain(names_of(asked)); });
}

task<answer> look_up_symbols(context&, request& from) {
  co_return on_own_thread([asked = std::move(from.body)](const rpc::cancellation&) { return plain(names_of(asked)); });
}

/// In the format of Go's net/http/pprof: the arguments joined by NUL bytes.
task<answer> get_command_line(context& cx, request&) {
  std::string joined;
  for (const auto& argument : cx.command_line)
    joined += (joined.empty() ? std::string{} : std::string(1, '\0')) + argument;
  co_return plain(std::move(joined));
}

} // namespace mistify::http::handlers
