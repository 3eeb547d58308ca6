#include "http/client/values.hpp"

#include "http/client/failure.hpp"
#include "rpc/base/error.hpp"
#include "rpc/model/codec.hpp"

#include <optional>
#include <utility>

namespace mistify::client {

using rpc::json::document;
using rpc::json::node;

namespace {

/// Reads one value with `read`; an answer that is none is no agent's.
template <class F>
auto read_with(std::string_view text, F read) {
  try {
    const auto parsed = document::parse(text);
    return read(parsed.root());
  } catch (const rpc::failure& e) {
    throw failure{fault::not_agent, "the answer is not an agent's: " + e.message()};
  }
}

template <class F>
auto read_list(std::string_view text, F read) {
  return read_with(text, [&](const node& root) {
    std::vector<decltype(read(root))> all;
    for (const node& item : root.items("answer"))
      all.push_back(read(item));
    return all;
  });
}

template <class F>
auto read_map(std::string_view text, F read) {
  return read_with(text, [&](const node& root) {
    std::map<std::string, decltype(read(root))> all;
    for (const auto& [key, value] : root.members("answer"))
      all.emplace(key, read(value));
    return all;
  });
}

rpc::timestamp time_of(const node& object, std::string_view name) {
  return rpc::decode_timestamp(text_of(object, name)).value_or(rpc::timestamp{});
}

std::optional<std::uint64_t> number_of(const node& object, std::string_view name) {
  const auto* value = object.find(name);
  return value ? std::optional{value->as_uint(name)} : std::nullopt;
}

rpc::job_code code_of(const std::string& text) {
  return text.empty() ? rpc::job_code::none : rpc::job_code_from(text).value_or(rpc::job_code::failed);
}

job read_job(const node& from) {
  job read;
  read.id = text_of(from, "ID");
  read.guest_id = text_of(from, "GuestID");
  read.action = text_of(from, "Action");
  read.queued_at = time_of(from, "QueuedAt");
  read.started_at = time_of(from, "StartedAt");
  read.updated_at = time_of(from, "UpdatedAt");
  const auto status = rpc::job_status_from(text_of(from, "Status"));
  if (read.id.empty() || !status)
    throw rpc::failure{rpc::errc::invalid_request, "a job has an ID and a Status"};
  read.status = *status;
  read.message = text_of(from, "Message");
  read.code = code_of(text_of(from, "Code"));
  read.user = text_of(from, "User");
  read.request_id = text_of(from, "RequestID");
  if (const auto* again = from.find("Retryable"))
    read.retryable = again->as_bool("Retryable");
  if (const auto* far = from.find("Progress"); far && !far->is_null())
    read.progress = rpc::job_progress{number_of(*far, "done"), number_of(*far, "total"), text_of(*far, "unit")};
  return read;
}

token read_token(const node& from) {
  return {text_of(from, "id"),        text_of(from, "name"),    text_of(from, "role"), text_of(from, "created"),
          text_of(from, "last_used"), text_of(from, "expires"), text_of(from, "token")};
}

identity read_identity(const node& from) {
  identity read{text_of(from, "name"), text_of(from, "how"), text_of(from, "role"), {}};
  if (const auto* scopes = from.find("scopes"))
    for (const node& one : scopes->items("scopes"))
      read.scopes.push_back(one.as_string("scopes"));
  return read;
}

std::string json_of(const node& object, std::string_view name) {
  const auto* value = object.find(name);
  return value ? value->text() : "null";
}

pending_change read_pending(const node& from) {
  return {text_of(from, "member"), json_of(from, "now"), json_of(from, "next")};
}

} // namespace

std::string text_of(const node& object, std::string_view name) {
  const auto* member = object.find(name);
  return member && member->type() == node::kind::string ? member->as_string(name) : std::string{};
}

template <>
rpc::guest decode(std::string_view text) {
  return read_with(text, [](const node& root) { return rpc::decode_guest(root); });
}
template <>
std::vector<rpc::guest> decode(std::string_view text) {
  return read_list(text, [](const node& one) { return rpc::decode_guest(one); });
}
template <>
rpc::image decode(std::string_view text) {
  return read_with(text, [](const node& root) { return rpc::decode_image(root); });
}
template <>
std::vector<rpc::image> decode(std::string_view text) {
  return read_list(text, [](const node& one) { return rpc::decode_image(one); });
}
template <>
std::vector<rpc::snapshot> decode(std::string_view text) {
  return read_list(text, [](const node& one) { return rpc::decode_snapshot(one); });
}
template <>
job decode(std::string_view text) {
  return read_with(text, read_job);
}
template <>
std::vector<job> decode(std::string_view text) {
  return read_list(text, read_job);
}
template <>
rpc::metadata_map decode(std::string_view text) {
  return read_with(text, [&](const node&) { return rpc::decode_metadata(text); });
}
template <>
std::vector<rpc::guest_cpu_metrics> decode(std::string_view text) {
  return read_list(text, [](const node& one) { return rpc::decode_cpu_metrics(one); });
}
template <>
std::map<std::string, rpc::guest_disk_metrics> decode(std::string_view text) {
  return read_map(text, [](const node& one) { return rpc::decode_disk_metrics(one); });
}
template <>
std::map<std::string, rpc::guest_nic_metrics> decode(std::string_view text) {
  return read_map(text, [](const node& one) { return rpc::decode_nic_metrics(one); });
}
template <>
token decode(std::string_view text) {
  return read_with(text, read_token);
}
template <>
std::vector<token> decode(std::string_view text) {
  return read_list(text, read_token);
}
template <>
identity decode(std::string_view text) {
  return read_with(text, read_identity);
}
template <>
std::vector<pending_change> decode(std::string_view text) {
  return read_list(text, read_pending);
}
template <>
std::vector<rpc::unmanaged_domain> decode(std::string_view text) {
  return read_with(text, [&](const node&) { return rpc::decode_unmanaged_list(text); });
}
template <>
document decode(std::string_view text) {
  try {
    return document::parse(text);
  } catch (const rpc::failure& e) {
    throw failure{fault::not_agent, "the answer is not an agent's: " + e.message()};
  }
}

event decode_event(std::string place, std::string type, std::string data) {
  return read_with(data, [&](const node& root) {
    event read{std::move(place), std::move(type), {}, {}, {}, {}, {}, {}, {}, {}};
    read.guest = text_of(root, "guest");
    read.job = text_of(root, "job");
    read.action = text_of(root, "action");
    read.status = text_of(root, "status");
    read.message = text_of(root, "message");
    read.state = text_of(root, "state");
    read.time = text_of(root, "time");
    read.data = data;
    return read;
  });
}

} // namespace mistify::client
