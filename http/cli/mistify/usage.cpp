#include "http/cli/mistify/usage.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace mistify::cli {

namespace {

/// A sample line: `name{guest="…",…} value`.
struct sample {
  std::string_view name;
  std::string guest;
  double value = 0;
};

/// The value of the label `guest`, unescaped. Null where the line has none.
std::optional<std::string> guest_of(std::string_view labels) {
  constexpr std::string_view begin = "guest=\"";
  if (!labels.starts_with(begin))
    return std::nullopt;
  std::string text;
  for (auto rest = labels.substr(begin.size()); !rest.empty(); rest.remove_prefix(1)) {
    if (rest.front() == '"')
      return text;
    if (rest.front() == '\\' && rest.size() > 1)
      rest.remove_prefix(1);
    text += rest.front();
  }
  return std::nullopt;
}

std::optional<sample> read_sample(std::string_view line) {
  const auto open = line.find('{');
  const auto blank = line.rfind(' ');
  if (line.starts_with('#') || open == line.npos || blank == line.npos || blank < open)
    return std::nullopt;
  auto guest = guest_of(line.substr(open + 1));
  const auto text = line.substr(blank + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!guest || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return sample{line.substr(0, open), *std::move(guest), value};
}

double rate(double before, double now, double seconds) {
  return now > before ? (now - before) / seconds : 0; // a guest that restarted begins at 0
}

} // namespace

void usage_meter::take(std::string_view page, clock::time_point at) {
  static constexpr std::pair<std::string_view, double totals::*> known[] = {
    {"mistify_guest_cpu_seconds_total", &totals::cpu},
    {"mistify_guest_disk_read_bytes_total", &totals::read},
    {"mistify_guest_disk_written_bytes_total", &totals::write},
    {"mistify_guest_network_receive_bytes_total", &totals::rx},
    {"mistify_guest_network_transmit_bytes_total", &totals::tx},
    {"mistify_guest_metrics_age_seconds", &totals::age},
  };
  std::map<std::string, totals, std::less<>> fresh;
  while (!page.empty()) {
    const auto end = std::min(page.find('\n'), page.size());
    if (const auto one = read_sample(page.substr(0, end)))
      for (const auto& [name, member] : known)
        if (name == one->name)
          fresh[one->guest].*member += one->value;
    page.remove_prefix(std::min(end + 1, page.size()));
  }
  ++looks_;
  std::erase_if(all_, [&](const auto& row) { return !fresh.contains(row.first); });
  for (auto& [guest, now] : fresh) {
    now.taken = at - std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>{now.age});
    all_[guest].take(now);
  }
}

bool usage_meter::has_rates() const noexcept {
  return has_figures() && std::ranges::all_of(all_, [](const auto& row) { return row.second.figures > 1; });
}

void usage_meter::entry::take(const totals& fresh) {
  constexpr std::chrono::milliseconds same{200}; // the same figures, seen twice
  if (figures == 0 || fresh.taken - now.taken >= same) {
    before = std::exchange(now, fresh);
    ++figures;
    return;
  }
  // The agent asks for each kind of figures by itself, and a page may have been read in between.
  for (const auto member : {&totals::cpu, &totals::read, &totals::write, &totals::rx, &totals::tx})
    if (now.*member == 0)
      now.*member = fresh.*member;
}

std::vector<guest_usage> usage_meter::usage(const std::vector<named>& guests, std::string_view column) const {
  std::vector<guest_usage> result;
  for (const auto& one : guests) {
    auto& shown = result.emplace_back();
    shown.id = one.id;
    shown.name = one.name.empty() ? one.id : one.name;
    const auto found = all_.find(one.id);
    if (found == all_.end() || found->second.figures < 2)
      continue;
    const auto& [before, now, figures] = found->second;
    const double seconds = std::chrono::duration<double>{now.taken - before.taken}.count();
    shown.known = true;
    shown.cpu = rate(before.cpu, now.cpu, seconds);
    shown.read = rate(before.read, now.read, seconds);
    shown.write = rate(before.write, now.write, seconds);
    shown.rx = rate(before.rx, now.rx, seconds);
    shown.tx = rate(before.tx, now.tx, seconds);
  }
  constexpr std::pair<std::string_view, double guest_usage::*> columns[] = {{"cpu", &guest_usage::cpu},
                                                                            {"read", &guest_usage::read},
                                                                            {"write", &guest_usage::write},
                                                                            {"rx", &guest_usage::rx},
                                                                            {"tx", &guest_usage::tx}};
  std::ranges::stable_sort(result, {}, &guest_usage::name);
  for (const auto& [name, member] : columns)
    if (name == column)
      std::ranges::stable_sort(result, std::greater{}, member);
  return result;
}

} // namespace mistify::cli
