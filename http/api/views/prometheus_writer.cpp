#include "http/api/views/prometheus_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace mistify::http {

namespace {

namespace metrics = rpc::metrics;

/// Returns the shortest text that reads back the same; whole numbers without exponent, for readability.
std::string number(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "+Inf" : "-Inf";
  constexpr double exact = 9007199254740992.0; // 2^53
  std::array<char, 32> text{};
  const bool whole = std::trunc(value) == value && std::abs(value) < exact;
  const auto end = whole ? std::to_chars(text.data(), text.data() + text.size(), static_cast<std::int64_t>(value))
                         : std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

void append_escaped(std::string& to, std::string_view text, bool quotes_too) {
  for (const char c : text)
    if (c == '\n')
      to += "\\n";
    else if (c == '\\' || (quotes_too && c == '"'))
      (to += '\\') += c;
    else
      to += c;
}

std::string_view type_name(metrics::kind kind) {
  switch (kind) {
  case metrics::kind::counter: return "counter";
  case metrics::kind::gauge: return "gauge";
  case metrics::kind::histogram: return "histogram";
  }
  return "untyped";
}

/// Writes cumulative buckets, as Prometheus requires: each includes the smaller ones.
void write(prometheus_writer& to, const metrics::labels& labels, const metrics::histogram& h) {
  const auto& shape = h.shape();
  auto with_bound = labels;
  auto& bound = with_bound.emplace_back("le", "").second;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i <= shape.bounds.size(); ++i) {
    so_far += h.in_bucket(i);
    bound = i < shape.bounds.size() ? number(static_cast<double>(shape.bounds[i]) / shape.scale) : "+Inf";
    to.sample("_bucket", with_bound, static_cast<double>(so_far));
  }
  to.sample("_sum", labels, h.sum());
  to.sample("_count", labels, static_cast<double>(so_far));
}

void write(prometheus_writer& to, const metrics::family::row& row) {
  if (const auto* h = std::get_if<std::unique_ptr<metrics::histogram>>(&row.value))
    write(to, row.labels, **h);
  else if (const auto* c = std::get_if<metrics::counter>(&row.value))
    to.sample("", row.labels, static_cast<double>(c->value()));
  else if (const auto* g = std::get_if<metrics::gauge>(&row.value))
    to.sample("", row.labels, static_cast<double>(g->value()));
  else
    to.sample("", row.labels, std::get<metrics::function>(row.value)());
}

} // namespace

void prometheus_writer::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  ((text_ += "# HELP ") += name) += ' ';
  append_escaped(text_, help, false);
  ((((text_ += "\n# TYPE ") += name) += ' ') += type) += '\n';
}

void prometheus_writer::begin_sample(std::string_view suffix) {
  (text_ += name_) += suffix;
  has_labels_ = false;
}

void prometheus_writer::add_label(std::string_view name, std::string_view value) {
  text_ += std::exchange(has_labels_, true) ? ',' : '{';
  (text_ += name) += "=\"";
  append_escaped(text_, value, true);
  text_ += '"';
}

void prometheus_writer::end_sample(double value) {
  text_ += has_labels_ ? "} " : " ";
  (text_ += number(value)) += '\n';
}

std::string render(const metrics::registry& all) {
  return render(all, [](std::string_view) { return true; });
}

std::string render(const metrics::registry& all, const std::function<bool(std::string_view)>& shows) {
  prometheus_writer page;
  all.visit([&](const metrics::family& f) {
    if (!shows(f.name))
      return;
    page.family(f.name, f.help, type_name(f.kind));
    for (const auto& row : f.rows)
      write(page, row);
  });
  return page.take();
}

} // namespace mistify::http
