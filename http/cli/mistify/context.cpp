#include "http/cli/mistify/context.hpp"

#include "http/cli/mistify/cluster/cluster.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/files.hpp"
#include "rpc/base/text.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace mistify::cli {

namespace {

std::string token_of(const arguments& args) {
  if (args.has("--token") || !args.has("--token-file"))
    return chosen(args, "--token", "MISTIFY_TOKEN");
  constexpr std::size_t longest = 4096;
  auto text = read_small_file(args.text("--token-file"), longest);
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.pop_back();
  if (text.empty())
    throw give_up{status::usage, args.text("--token-file") + ": the file is empty"};
  return text;
}

std::chrono::milliseconds timeout_of(const arguments& args) {
  constexpr double usual = 30, longest = 86'400;
  if (!args.has("--timeout"))
    return std::chrono::milliseconds{static_cast<std::int64_t>(usual * 1000)};
  const auto& text = args.text("--timeout");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0.001 && seconds <= longest))
    throw give_up{status::usage, "--timeout: must be seconds from 0.001 to 86400"};
  return std::chrono::milliseconds{std::llround(seconds * 1000)};
}

/// What is none may be a host of the cluster.
bool is_url(std::string_view text) {
  return text.starts_with("unix:") || text.find("://") != text.npos;
}

format format_of(std::string_view name) {
  constexpr std::pair<std::string_view, format> known[] = {
    {"json", format::json}, {"table", format::table}, {"yaml", format::yaml}, {"csv", format::csv}};
  for (const auto& [text, value] : known)
    if (text == name)
      return value;
  throw give_up{status::usage, "--as: must be json, table, yaml or csv"};
}

} // namespace

std::string chosen(const arguments& args, std::string_view option, const char* variable) {
  if (args.has(option))
    return args.text(option);
  const auto* value = std::getenv(variable); // NOLINT(concurrency-mt-unsafe): nothing sets it
  return value ? value : "";
}

client::settings link_of(const arguments& args) {
  client::settings how;
  how.ca_file = chosen(args, "--cacert", "MISTIFY_CACERT");
  how.cert_file = chosen(args, "--cert", "MISTIFY_CERT");
  how.key_file = chosen(args, "--key", "MISTIFY_KEY");
  if (how.cert_file.empty() != how.key_file.empty())
    throw give_up{status::usage, "--cert and --key belong together"};
  how.timeout = timeout_of(args);
  return how;
}

client::settings settings_of(const arguments& args) {
  auto how = link_of(args);
  how.token = token_of(args);
  const auto where = chosen(args, "--host", "MISTIFY_HOST");
  if (is_url(where))
    how.agent = client::parse_address(where);
  else if (where.empty())
    how.agent = client::parse_address(client::default_address);
  else if (has_cluster(args))
    how.agent = cluster{args}.agent_of(where);
  else
    throw give_up{status::usage, where + ": is no URL of an agent, and no cluster is named",
                  "unix:PATH, http://HOST:PORT, or --cluster URL[,URL] for a host's id or ip"};
  return how;
}

client::client& context::agent() {
  if (!agent_)
    agent_ = another_agent();
  return *agent_;
}

std::unique_ptr<client::client> context::another_agent() {
  if (!settings_)
    settings_ = settings_of(args);
  return std::make_unique<client::client>(*settings_);
}

layout context::output(format usual, std::vector<std::string> columns) const {
  layout how;
  how.as = args.has("--as") ? format_of(args.text("--as")) : usual;
  how.usual = std::move(columns);
  rpc::text::each_element(args.text("--output"), ',', [&](std::string_view name) { how.columns.emplace_back(name); });
  if (args.has("--output") && how.columns.empty())
    throw give_up{status::usage, "--output: names no column"};
  // Whole objects are for eyes only where there is one: chosen columns make a table.
  if (!args.has("--as") && !how.columns.empty())
    how.as = format::table;
  how.sort = args.text("--sort");
  return how;
}

void expect_pairs(const arguments& args, std::string_view option) {
  for (const auto& pair : args.list(option))
    if (const auto mark = pair.find('='); mark == 0 || mark == pair.npos)
      throw give_up{status::usage, std::string{option} + " " + pair + ": must be KEY=VALUE"};
}

std::optional<std::uint64_t> context::number(std::string_view option, std::uint64_t least, std::uint64_t most) const {
  return number_of(args, option, least, most);
}

std::optional<std::uint64_t> number_of(const arguments& args, std::string_view option, std::uint64_t least,
                                       std::uint64_t most) {
  if (!args.has(option))
    return std::nullopt;
  const auto& text = args.text(option);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    throw give_up{status::usage, std::string{option} + ": must be a whole number from " + std::to_string(least) +
                                   " to " + std::to_string(most)};
  return value;
}

} // namespace mistify::cli
