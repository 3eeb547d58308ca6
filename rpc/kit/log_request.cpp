#include "rpc/kit/log_request.hpp"

#include "rpc/base/json.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::rpc {

namespace {

void read_guest(const json::node& request, log_request& to) {
  const auto* guest = request.find("guest");
  if (guest && guest->type() == json::node::kind::object) {
    const auto* adopted = guest->find("adopted");
    to.adopted = adopted && adopted->text() == "true";
    guest = guest->find("id");
  }
  if (guest)
    to.guest = guest->as_string("guest");
}

std::optional<std::uint64_t> number_in(const json::node& request, const char* name) {
  const auto* found = request.find(name);
  if (!found || found->is_null())
    return std::nullopt;
  return found->as_uint(name);
}

} // namespace

log_request decode_log_request(std::string_view body) {
  const auto document = json::document::parse(body);
  const auto& root = document.root();
  root.members("request"); // throws unless it is an object
  log_request what{.guest = {}, .tail = number_in(root, "tail"), .offset = 0, .limit = number_in(root, "limit")};
  read_guest(root, what);
  const auto offset = number_in(root, "offset");
  what.offset = offset.value_or(0);
  if (what.tail && (offset || what.limit))
    throw std::invalid_argument{"tail: cannot be combined with offset and limit"};
  if (const auto* follow = root.find("follow"); follow && !follow->is_null())
    what.follow = follow->as_bool("follow");
  return what;
}

bool byte_window::add(std::string_view bytes) {
  const auto skipped = std::min<std::uint64_t>(skip_, bytes.size());
  skip_ -= skipped;
  bytes.remove_prefix(static_cast<std::size_t>(skipped));
  bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
  left_ -= bytes.size();
  receiver_left_ = !bytes.empty() && !to_(bytes);
  return !receiver_left_ && left_ > 0;
}

} // namespace mistify::rpc
