#pragma once

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/time.hpp"
#include "rpc/model/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The wire form of every value of the API: model ↔ JSON.
///
/// Decoders read one JSON text (or a node) and throw `failure{invalid_request}` that names the field ("disks[1].size:
/// must be a non-negative whole number"). Unknown members are kept where the type has `extra`, else ignored.
/// Encoders give compact text without a trailing newline; fields in the documented order, maps and extras sorted by key.
namespace mistify::rpc {

guest decode_guest(std::string_view text);
guest decode_guest(const json::node& node);
std::string encode(const guest& value);

image_request decode_image_request(std::string_view text);
image_request decode_image_request(const json::node& node);
std::string encode(const image_request& value);

image decode_image(const json::node& node);
std::string encode(const image& value);

snapshot_request decode_snapshot_request(std::string_view text);
snapshot_request decode_snapshot_request(const json::node& node);
std::string encode(const snapshot_request& value);

snapshot decode_snapshot(const json::node& node);
std::string encode(const snapshot& value);

guest_cpu_metrics decode_cpu_metrics(const json::node& node);
guest_disk_metrics decode_disk_metrics(const json::node& node);
guest_nic_metrics decode_nic_metrics(const json::node& node);
std::string encode(const guest_cpu_metrics& value);
std::string encode(const guest_disk_metrics& value);
std::string encode(const guest_nic_metrics& value);

/// `with_stages` adds the member `Stages`.
std::string encode(const job& value, bool with_stages = false);

/// "" for `none`, else the name of the enumerator: "no_space".
std::string_view to_string(job_code code) noexcept;
std::optional<job_code> job_code_from(std::string_view text) noexcept;

/// "ok", "timeout" and so on; "" for `none`.
std::string_view to_string(stage_outcome outcome) noexcept;

/// The code of a job that ends by this failure; `failed` for any that has none of its own.
job_code code_of(errc why) noexcept;

/// "Queued", "Running", "Complete", "Error".
std::string_view to_string(job_status status) noexcept;

/// The reverse of `to_string`; null for any other text.
std::optional<job_status> job_status_from(std::string_view text) noexcept;

/// A map string → string; `null` is the empty map.
metadata_map decode_metadata(std::string_view text);
std::string encode(const metadata_map& value);

/// A map string → string for PATCH: `null` and "" delete. `null` as the whole body is the empty patch.
metadata_patch decode_metadata_patch(std::string_view text);

/// Applies a patch in place.
void apply(metadata_map& to, const metadata_patch& patch);

// -- JSON-RPC envelopes (version 1, as the original speaks it) -----------------------------------------------------

/// `{"method":M,"params":[P],"id":N}` where `params` is the JSON text of the one object.
std::string encode_call(std::string_view method, std::string_view params, std::uint64_t id);

/// Parses the answer to the call `id`. Throws `failure{sub_agent_failed}` if the body is not a JSON-RPC answer or its id
/// is that of another call. An absent id, null and 0 fit any call: the stub of the original always answers 0.
json::document decode_answer(std::string_view body, std::uint64_t id);

/// Returns the `result` of an answer. Throws `failure{sub_agent_failed}` if `error` is not null (the message is the
/// string, or any other value as JSON) or if `result` is null or missing. An error `{"code","message"}` with a known
/// code, and the texts "not found", "no such image" and "no space left on device", throw the code of their own
/// (`sub_agent_no_space`).
json::document result_in(const json::document& answer);

/// `{"guest":G,"action":A,"args":{…},"params":{…},"again":true}`. `guest` and `params` are JSON texts. Empty `args`,
/// empty `params` and a false `again` are omitted.
std::string encode_guest_request(std::string_view guest, std::string_view action, const metadata_map& args,
                                 std::string_view params = {}, bool again = false);

/// `{"guest":G,"type":T,"args":{…}}`; `args` is omitted if empty.
std::string encode_metrics_request(std::string_view guest, std::string_view type, const metadata_map& args);

/// Adds a member `args` to the JSON object `request`, unless args is empty.
std::string with_args(std::string_view request, const metadata_map& args);

/// The members of a stage's result that the agent reads.
struct stage_result {
  std::optional<guest> returned;   ///< member `guest`, if it is an object
  std::string message;             ///< member `message`
  std::uint64_t retry_seconds = 0; ///< member `retry`: run the stage again after so long; 0: do not
};

/// Throws `failure{sub_agent_failed}` if a member has the wrong type.
stage_result decode_stage_result(const json::node& result);

} // namespace mistify::rpc
