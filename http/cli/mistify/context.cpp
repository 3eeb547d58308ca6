#include "http/cli/mistify/context.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/files.hpp"
#include "rpc/base/text.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace mistify::cli {

namespace {

/// The option, else the environment; a variable that is empty is none.
std::string chosen(const arguments& args, std::string_view option, const char* variable) {
  if (args.has(option))
    return args.text(option);
  const auto* value = std::getenv(variable); // NOLINT(concurrency-mt-unsafe): nothing sets it
  return value ? value : "";
}

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

format format_of(std::string_view name) {
  constexpr std::pair<std::string_view, format> known[] = {
    {"json", format::json}, {"table", format::table}, {"yaml", format::yaml}, {"csv", format::csv}};
  for (const auto& [text, value] : known)
    if (text == name)
      return value;
  throw give_up{status::usage, "--as: must be json, table, yaml or csv"};
}

} // namespace

client::settings settings_of(const arguments& args) {
  client::settings how;
  const auto url = chosen(args, "--host", "MISTIFY_HOST");
  how.agent = client::parse_address(url.empty() ? client::default_address : std::string_view{url});
  how.token = token_of(args);
  how.ca_file = chosen(args, "--cacert", "MISTIFY_CACERT");
  how.cert_file = chosen(args, "--cert", "MISTIFY_CERT");
  how.key_file = chosen(args, "--key", "MISTIFY_KEY");
  if (how.cert_file.empty() != how.key_file.empty())
    throw give_up{status::usage, "--cert and --key belong together"};
  how.timeout = timeout_of(args);
  return how;
}

client::client& context::agent() {
  if (!agent_)
    agent_ = another_agent();
  return *agent_;
}

std::unique_ptr<client::client> context::another_agent() const {
  return std::make_unique<client::client>(settings_of(args));
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

std::optional<std::uint64_t> context::number(std::string_view option, std::uint64_t least, std::uint64_t most) const {
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
