#include "actors/guests/guest_wish.hpp"

#include "rpc/base/json.hpp"

namespace mistify::actors {

namespace {

using rpc::json::node;

bool flag_in(const node& from, std::string_view name) {
  const auto* member = from.find(name);
  return member && member->as_bool(name);
}

void read_params(const node& from, guest_wish& to) {
  to.preempt = flag_in(from, "preempt");
  if (const auto* wait = from.find("wait"))
    to.wait = std::chrono::seconds{wait->as_uint("wait")};
  if (const auto* then = from.find("then"))
    to.then = when_late_from(then->as_string("then"));
}

} // namespace

std::optional<when_late> when_late_from(std::string_view text) noexcept {
  if (text == "poweroff")
    return when_late::poweroff;
  return text == "fail" ? std::optional{when_late::fail} : std::nullopt;
}

std::string params_of(const guest_wish& wish) {
  if (!wish.has_params())
    return {};
  rpc::json::writer out;
  out.begin_object();
  if (wish.preempt)
    out.key("preempt").value(true);
  if (wish.wait)
    out.key("wait").value(std::uint64_t{static_cast<std::uint64_t>(wish.wait->count())});
  if (wish.then)
    out.key("then").value(*wish.then == when_late::fail ? "fail" : "poweroff");
  out.end_object();
  return std::move(out).str();
}

std::string encode(const guest_wish& wish) {
  if (!wish.force && !wish.keep_wanted && !wish.start && !wish.has_params())
    return {};
  rpc::json::writer out;
  out.begin_object();
  if (wish.force)
    out.key("force").value(true);
  if (wish.keep_wanted)
    out.key("keep_wanted").value(true);
  if (wish.start)
    out.key("start").value(true);
  if (const auto params = params_of(wish); !params.empty())
    out.key("params").raw(params);
  out.end_object();
  return std::move(out).str();
}

guest_wish decode_wish(std::string_view request) noexcept {
  if (request.empty())
    return {};
  try {
    const auto document = rpc::json::document::parse(request);
    const auto& root = document.root();
    guest_wish wish;
    wish.force = flag_in(root, "force");
    wish.keep_wanted = flag_in(root, "keep_wanted");
    wish.start = flag_in(root, "start");
    if (const auto* params = root.find("params"))
      read_params(*params, wish);
    return wish;
  } catch (...) {
    return {};
  }
}

} // namespace mistify::actors
