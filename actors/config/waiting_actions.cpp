#include "actors/config/waiting_actions.hpp"

#include "rpc/base/text.hpp"

#include <charconv>
#include <system_error>

namespace mistify::actors {

bool is_action(std::string_view name, std::string_view wanted) noexcept {
  constexpr std::string_view prefix = "container";
  if (!name.starts_with(prefix))
    return name == wanted;
  name.remove_prefix(prefix.size());
  return name.size() == wanted.size() && name.substr(1) == wanted.substr(1) &&
         rpc::text::lower(name.front()) == wanted.front();
}

bool takes_time(std::string_view action) noexcept {
  return is_action(action, "shutdown") || is_action(action, "reboot");
}

std::optional<std::uint64_t> wait_seconds(const rpc::metadata_map& args) noexcept {
  const auto found = args.find("wait");
  if (found == args.end())
    return std::nullopt;
  std::uint64_t seconds = 0;
  const auto* last = found->second.data() + found->second.size();
  const auto [end, fault] = std::from_chars(found->second.data(), last, seconds);
  return fault == std::errc{} && end == last && seconds <= longest_wait_seconds ? std::optional{seconds} : std::nullopt;
}

std::string wrong_args(const rpc::metadata_map& args) {
  if (args.contains("wait") && !wait_seconds(args))
    return "wait: must be a whole number of seconds, at most " + std::to_string(longest_wait_seconds);
  const auto then = args.find("then");
  if (then != args.end() && then->second != "poweroff" && then->second != "fail")
    return "then: must be poweroff or fail";
  return {};
}

} // namespace mistify::actors
