#pragma once

#include "actors/requests.hpp"
#include "http/api/handlers/context.hpp"
#include "http/api/views/public_guest.hpp"
#include "http/protocol/message.hpp"
#include "rpc/base/error.hpp"
#include "store/journal.hpp"

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Functions shared by the handlers. Failures are thrown.
namespace mistify::http::handlers {

/// A JSON answer; appends a newline.
answer json_answer(int status, std::string body);

/// A page for a browser, one of http/pages.hpp. It may load resources only from the agent, and connect only to it.
answer page_answer(std::string_view page);

/// A style sheet or a script of those pages, with the same restrictions.
answer page_part(std::string_view part, std::string_view content_type);

/// 202 with the job's id in `X-Guest-Job-ID`.
answer accepted(std::string body, const store::queued_job& queued);

/// The same with the job's guest as the body, and its tag in `ETag`.
answer accepted_guest(context& cx, const store::queued_job& queued);

/// 202 with the queued job itself as the body.
answer accepted_job(const store::queued_job& queued);

/// The answer of a change without a job, whose entry of the audit was committed with it.
answer changed(answer out);

/// For answers that take long: returns false once the client would not get them any more, because its token,
/// certificate or rights have ended. Thread-safe.
std::function<bool()> still_allowed(const context& cx, const request& from);

/// "[a,b]" from JSON texts.
std::string json_array(const std::vector<std::string>& elements);

/// Throws `forbidden` for an identity that is limited to some guests: what it asks for concerns all.
void expect_unlimited(const principal& who);

/// Returns the guest; throws `not_found`.
store::guest_ptr require_guest(const context& cx, const std::string& id);

/// Returns the pipeline; throws `not_configured` with the text "NAME: Not configured".
actors::action_ptr require_action(const context& cx, std::string_view name);

/// Returns the name of an action for that type of guest: "reboot", or "containerReboot" for containers.
std::string action_for(std::string_view guest_type, std::string_view action);

/// Throws `invalid_request` if a text of the guest that becomes part of a path or of the machine has control characters.
void expect_no_controls(const rpc::guest& guest);

/// Throws `invalid_request` that names the first text with a control character: ids and names become parts of paths
/// and of machines.
void expect_no_controls_in(std::initializer_list<std::pair<std::string_view, std::string_view>> named);

/// What identifies a request: when it is a repetition, and its id in logs.
struct request_identity {
  std::string idempotency_key; ///< as the client sent it; empty: none
  std::string digest;          ///< of method, canonical path and canonical body; empty where no repetition is known
  std::string request_id;
  store::audit_ptr audit = {}; ///< null: not audited
  std::string if_match = {};   ///< outside of the digest: a repeated request gets its first answer after changes too
  std::string user = {};       ///< name of the identity; empty without one
};

/// The request's entry of the audit, to commit with its change. `status` is that of the response; `action` says what the
/// path does not. Null: not audited.
store::audit_ptr audit_of(const request& from, int status, std::string action = {});

/// The request's If-Match; "": it has none. Throws `invalid_request` for one that is empty: a script whose variable is not set
/// must not change whatever is there.
std::string if_match_of(const request& from);

/// How the agent recognizes a repeated request: by its Idempotency-Key, or also by the id of the guest that it creates.
enum class repeats : std::uint8_t { by_key, by_guest_too };

/// `canonical` is the decoded content, so that white space in a body makes no difference. Throws `invalid_request`
/// for a key of more than 255 bytes.
request_identity identify(const request& from, std::string_view canonical, repeats how = repeats::by_key);

/// Returns what an earlier, identical request with the same Idempotency-Key queued; null if there is none. Throws
/// `conflict` if the key was used with another request. Call it first: the request's subject may no longer exist.
std::optional<store::queued_job> repeated(const context& cx, const request_identity& who);

/// Makes a job request for `what`; image and snapshot stages get `stage_request`.
actors::job_request make_job(const request_identity& who, actors::action_ptr what, std::string stage_request);

/// True if a sub-agent reports that something does not exist.
bool means_absent(const rpc::failure& why);

/// Runs `decode` on a sub-agent's answer and turns `invalid_request` into `sub_agent_failed`.
template <class Decode>
auto from_sub_agent(Decode decode) {
  try {
    return decode();
  } catch (const rpc::failure& e) {
    throw rpc::failure{rpc::errc::sub_agent_failed, "unusable answer of the sub-agent: " + e.message()};
  }
}

} // namespace mistify::http::handlers
