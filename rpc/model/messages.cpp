#include "rpc/model/messages.hpp"

#include "rpc/model/codec_names.hpp"
#include "rpc/model/codec_tables.hpp"

#include <charconv>
#include <system_error>

namespace mistify::rpc {

namespace wire {

/// Without `params`, which stays a text.
template <>
struct fields<guest_request> {
  static constexpr auto all =
    std::tuple{always("guest", &guest_request::guest), always("action", &guest_request::action),
               if_set("args", &guest_request::args), if_set("again", &guest_request::again)};
};

template <>
struct fields<guest_response> {
  static constexpr auto all =
    std::tuple{always("guest", &guest_response::guest), if_set("message", &guest_response::message),
               if_set("retry", &guest_response::retry)};
};

template <>
struct fields<guest_metrics_request> {
  using t = guest_metrics_request;
  static constexpr auto all =
    std::tuple{always("guest", &t::guest), always("type", &t::type), if_set("args", &t::args)};
};

template <>
struct fields<guest_metrics_response> {
  using t = guest_metrics_response;
  static constexpr auto all = std::tuple{always("guest", &t::guest), always("type", &t::type), if_set("disk", &t::disk),
                                         if_set("nic", &t::nic), if_set("cpu", &t::cpu)};
};

template <>
struct fields<image_response> {
  static constexpr auto all = std::tuple{always("images", &image_response::images)};
};

template <>
struct fields<snapshot_response> {
  static constexpr auto all = std::tuple{always("snapshots", &snapshot_response::snapshots)};
};

template <>
struct fields<volume_request> {
  static constexpr auto all = std::tuple{always("id", &volume_request::id), always("size", &volume_request::size)};
};

template <>
struct fields<volume> {
  static constexpr auto all =
    std::tuple{always("id", &volume::id), always("size", &volume::size), always("device", &volume::device)};
};

template <>
struct fields<volume_response> {
  static constexpr auto all = std::tuple{always("volumes", &volume_response::volumes)};
};

} // namespace wire

void decode(const json::node& from, guest_request& to) {
  wire::read(from, {}, to);
  if (const auto* params = from.find("params"); params && !params->is_null())
    to.params = params->text();
}

std::optional<std::uint64_t> wait_of(const guest_request& request) {
  if (!request.params.empty()) {
    const auto params = json::document::parse(request.params);
    if (const auto* wait = params.root().find("wait"))
      return wait->as_uint("params.wait");
  }
  const auto arg = request.args.find("wait");
  std::uint64_t seconds = 0;
  if (arg == request.args.end())
    return std::nullopt;
  const auto* end = arg->second.data() + arg->second.size();
  const auto [stop, fault] = std::from_chars(arg->second.data(), end, seconds);
  if (fault != std::errc{} || stop != end)
    throw failure{errc::invalid_request, "args.wait: must be a whole number"};
  return seconds;
}

void decode(const json::node& from, guest_response& to) {
  wire::read(from, {}, to);
}

void decode(const json::node& from, guest_metrics_request& to) {
  wire::read(from, {}, to);
}

void decode(const json::node& from, guest_metrics_response& to) {
  wire::read(from, {}, to);
}

void decode(const json::node& from, image_response& to) {
  wire::read(from, {}, to);
}

void decode(const json::node& from, snapshot_response& to) {
  wire::read(from, {}, to);
}

void decode(const json::node& from, volume_request& to) {
  wire::expect_exact_members<volume_request>(from);
  wire::read(from, {}, to);
}

void decode(const json::node& from, volume& to) {
  wire::read(from, {}, to);
}

void decode(const json::node& from, volume_response& to) {
  wire::read(from, {}, to);
}

std::string encode(const guest_request& value) {
  return encode_guest_request(encode(value.guest), value.action, value.args, value.params, value.again);
}

std::string encode(const guest_response& value) {
  return wire::encode(value);
}

std::string encode(const guest_metrics_request& value) {
  return wire::encode(value);
}

std::string encode(const guest_metrics_response& value) {
  return wire::encode(value);
}

std::string encode(const image_response& value) {
  return wire::encode(value);
}

std::string encode(const snapshot_response& value) {
  return wire::encode(value);
}

std::string encode(const volume_request& value) {
  return wire::encode(value);
}

std::string encode(const volume& value) {
  return wire::encode(value);
}

std::string encode(const volume_response& value) {
  return wire::encode(value);
}

} // namespace mistify::rpc
