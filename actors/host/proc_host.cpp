#include "actors/host/proc_host.hpp"

#include "actors/ids.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace mistify::actors {

namespace {

std::string read_text(const char* path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return std::move(text).str();
}

/// Calls `use` with name and value of each line "name : value".
template <class F>
void for_each_field(std::string_view text, F use) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (const auto colon = line.find(':'); colon != line.npos)
      use(rpc::text::trim(line.substr(0, colon)), rpc::text::trim(line.substr(colon + 1)));
  }
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

constexpr std::uint64_t kb_in_mb = 1024;

} // namespace

rpc::host_info parse_proc_host(std::string_view cpuinfo, std::string_view meminfo) {
  rpc::host_info host;
  std::set<std::pair<std::string_view, std::string_view>> cores; // socket and core
  std::string_view socket;
  for_each_field(cpuinfo, [&](std::string_view name, std::string_view value) {
    if (name == "processor")
      ++host.cpu.count;
    else if (name == "model name" && host.cpu.model.empty())
      host.cpu.model = value;
    else if (name == "physical id")
      socket = value;
    else if (name == "core id")
      cores.emplace(socket, value);
  });
  host.cpu.threads = cores.empty() ? 1 : std::max<std::uint64_t>(1, host.cpu.count / cores.size());
  rpc::page_pool pages;
  for_each_field(meminfo, [&](std::string_view name, std::string_view value) {
    if (name == "MemTotal")
      host.memory.total = number_of(value) / kb_in_mb;
    else if (name == "MemAvailable")
      host.memory.free = number_of(value) / kb_in_mb;
    else if (name == "HugePages_Total")
      pages.total = number_of(value);
    else if (name == "HugePages_Free")
      pages.free = number_of(value);
    else if (name == "Hugepagesize")
      pages.size = number_of(value) / kb_in_mb;
  });
  if (pages.size > 0)
    host.memory.huge_pages.push_back(pages);
  return host;
}

rpc::host_info read_proc_host() {
  return parse_proc_host(read_text("/proc/cpuinfo"), read_text("/proc/meminfo"));
}

std::string read_product_uuid() {
  auto text = read_text("/sys/class/dmi/id/product_uuid");
  std::string id{rpc::text::trim(std::string_view{text}.substr(0, text.find('\n')))};
  std::ranges::transform(id, id.begin(), rpc::text::lower);
  return is_uuid(id) ? id : std::string{};
}

} // namespace mistify::actors
