#include "rpc/agents/container/container_call.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"

#include <charconv>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

std::optional<std::uint64_t> number_in(const rpc::metadata_map& args, std::string_view name) {
  const auto found = args.find(name);
  if (found == args.end())
    return std::nullopt;
  const auto& text = found->second;
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size())
    throw rpc::failure{rpc::errc::invalid_request, "args." + std::string{name} + ": must be a whole number of seconds"};
  return number;
}

} // namespace

void decode(const rpc::json::node& from, container_call& to) {
  rpc::guest_request plain;
  rpc::decode(from, plain);
  to = {std::move(plain.guest), std::move(plain.action), std::move(plain.args), {}, false};
  const auto* params = from.find("params");
  if (const auto* wait = params ? params->find("wait") : nullptr)
    to.wait = wait->as_uint("params.wait");
  else
    to.wait = number_in(to.args, "wait");
  if (const auto* again = from.find("again"))
    to.again = again->as_bool("again");
}

bool is_guest_id(const std::string& id) noexcept {
  constexpr std::size_t length = 36;
  if (id.size() != length)
    return false;
  for (std::size_t i = 0; i < length; ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? id[i] != '-' : rpc::text::hex_value(id[i]) < 0)
      return false;
  }
  return true;
}

void expect_guest_id(const std::string& id) {
  if (id.empty())
    throw std::invalid_argument{"missing guest with id"};
  if (!is_guest_id(id))
    throw std::invalid_argument{"invalid argument: the guest's id must be a UUID"};
}

} // namespace mistify::agents::container
