#pragma once

#include "actors/requests.hpp"
#include "http/api/handlers/context.hpp"
#include "http/api/views/public_guest.hpp"
#include "http/protocol/message.hpp"
#include "rpc/base/error.hpp"
#include "store/journal.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the handlers share. Failures are thrown.
namespace mistify::http::handlers {

/// A JSON answer; the newline at the end is added here.
answer json_answer(int status, std::string body);

/// A page for a browser, one of http/pages.hpp. It may load nothing from anywhere, and talk to nobody but the agent.
answer page_answer(std::string_view page);

/// A style sheet or a script of those pages, with the same bounds.
answer page_part(std::string_view part, std::string content_type);

/// 202 with the job's id in `X-Guest-Job-ID`.
answer accepted(std::string body, const store::queued_job& queued);

/// The same with the guest that the job is about.
answer accepted_guest(const store::queued_job& queued);

/// 202 with the queued job itself as the body.
answer accepted_job(const store::queued_job& queued);

/// "[a,b]" from JSON texts.
std::string json_array(const std::vector<std::string>& elements);

/// The guest, or `not_found`.
store::guest_ptr need_guest(const context& cx, const std::string& id);

/// The pipeline, or `not_configured` with the text "NAME: Not configured".
actors::action_ptr need_action(const context& cx, std::string_view name);

/// The name of an action on a guest of that type: "reboot", or "containerReboot" for containers.
std::string action_for(std::string_view guest_type, std::string_view action);

/// Throws `invalid_request` that names the first text with a control character in it. Ids and names become parts of paths
/// and of machines.
void expect_no_controls_in(std::initializer_list<std::pair<std::string_view, std::string_view>> named);

/// Who a request is: what makes two the same one, and its name in logs.
struct request_identity {
  std::string idempotency_key; ///< as the client sent it; empty: none
  std::string digest;          ///< of method, path (however it was spelled) and what was asked
  std::string request_id;
};

/// `canonical` is what was asked, as understood: white space does not make another request of a body. Throws
/// `invalid_request` for a key of more than 255 bytes.
request_identity identify(const request& from, std::string_view canonical);

/// What an earlier, same request with the same Idempotency-Key queued; nothing if there was none. Throws `conflict` if
/// the key came with another request. To be asked first: what the request is about may be gone by now.
std::optional<store::queued_job> repeated(const context& cx, const request_identity& who);

/// A job for `what`; image and snapshot stages are sent `stage_request`.
actors::job_request make_job(const request_identity& who, actors::action_ptr what, std::string stage_request);

/// True for the texts with which a sub-agent says that something does not exist.
bool means_absent(const rpc::failure& why);

/// Runs `decode` on what a sub-agent answered; what is wrong there is the sub-agent's fault, not the client's.
template <class Decode>
auto from_sub_agent(Decode decode) {
  try {
    return decode();
  } catch (const rpc::failure& e) {
    throw rpc::failure{rpc::errc::sub_agent_failed, "unusable answer of the sub-agent: " + e.message()};
  }
}

} // namespace mistify::http::handlers
