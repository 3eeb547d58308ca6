#pragma once

#include "actors/inspect/status.hpp"
#include "actors/requests.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"
#include "store/journal.hpp"

#include <caf/all.hpp>

#include <string>

CAF_BEGIN_TYPE_ID_BLOCK(mistify, caf::first_custom_type_id)

CAF_ADD_ATOM(mistify, mistify::actors, info_atom, "info")
CAF_ADD_ATOM(mistify, mistify::actors, queue_atom, "queue")
CAF_ADD_ATOM(mistify, mistify::actors, create_atom, "create")
CAF_ADD_ATOM(mistify, mistify::actors, stream_atom, "streaming")
CAF_ADD_ATOM(mistify, mistify::actors, release_slot_atom, "left")
CAF_ADD_ATOM(mistify, mistify::actors, call_atom, "call")
CAF_ADD_ATOM(mistify, mistify::actors, acquire_slot_atom, "place")
CAF_ADD_ATOM(mistify, mistify::actors, record_atom, "record")
CAF_ADD_ATOM(mistify, mistify::actors, patch_atom, "patch")
CAF_ADD_ATOM(mistify, mistify::actors, commit_atom, "commit")
CAF_ADD_ATOM(mistify, mistify::actors, resume_atom, "again")
CAF_ADD_ATOM(mistify, mistify::actors, cancel_atom, "cancel")
CAF_ADD_ATOM(mistify, mistify::actors, wait_atom, "wait")
CAF_ADD_ATOM(mistify, mistify::actors, alive_atom, "alive")
CAF_ADD_ATOM(mistify, mistify::actors, retire_atom, "retire")
CAF_ADD_ATOM(mistify, mistify::actors, restore_atom, "restore")
CAF_ADD_ATOM(mistify, mistify::actors, drain_atom, "drain")
CAF_ADD_ATOM(mistify, mistify::actors, sweep_atom, "sweep")
CAF_ADD_ATOM(mistify, mistify::actors, probe_atom, "probe")
CAF_ADD_ATOM(mistify, mistify::actors, status_atom, "status")
CAF_ADD_ATOM(mistify, mistify::actors, inspect_atom, "look")
CAF_ADD_ATOM(mistify, mistify::actors, late_atom, "late")
CAF_ADD_ATOM(mistify, mistify::actors, report_atom, "report")
CAF_ADD_ATOM(mistify, mistify::actors, progress_atom, "progress")
CAF_ADD_ATOM(mistify, mistify::actors, token_atom, "token")
CAF_ADD_ATOM(mistify, mistify::actors, audit_atom, "audit")
CAF_ADD_ATOM(mistify, mistify::actors, leave_atom, "leave")
CAF_ADD_ATOM(mistify, mistify::actors, refresh_atom, "refresh")
CAF_ADD_ATOM(mistify, mistify::actors, boot_atom, "boot")
CAF_ADD_ATOM(mistify, mistify::actors, note_atom, "note")

CAF_END_TYPE_ID_BLOCK(mistify)

CAF_ERROR_CODE_ENUM(mistify::rpc::errc, "mistify")

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::action_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::info_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::job_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::service_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::place_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::place_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::stream_grant)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::runner_restore)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::actor_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::look_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::rpc::json::document)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::rpc::guest)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::rpc::job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::rpc::metadata_patch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::rpc::metadata_map)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::new_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::queued_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::stored_listener)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::step_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::recorded_step)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::reported_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::jobs_restore)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::stage_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::power_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::actors::boot_plan)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::token)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::maintenance)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::token_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mistify::store::audit_ptr)

namespace mistify::actors {

/// Converts a failure to an actor's error and back. Errors of CAF itself become `internal` (a dead actor) or
/// `deadline_exceeded` (a time-out).
caf::error to_error(const rpc::failure& e);
rpc::failure to_failure(const caf::error& e);

} // namespace mistify::actors
