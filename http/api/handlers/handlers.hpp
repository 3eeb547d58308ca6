#pragma once

#include "http/api/handlers/context.hpp"
#include "http/api/task.hpp"
#include "http/protocol/message.hpp"

/// Every handler of the API: decodes the request, sends requests to actors, encodes the response. Failures are thrown
/// and become error responses in one place. The request stays where it is until the handler has answered.
namespace mistify::http::handlers {

// metadata.cpp
task<answer> get_metadata(context&, request&);
task<answer> patch_metadata(context&, request&);
task<answer> get_guest_metadata(context&, request&);
task<answer> patch_guest_metadata(context&, request&);

// guest_lists.cpp
task<answer> list_guests(context&, request&);

// guests.cpp
task<answer> create_guest(context&, request&);
task<answer> get_guest(context&, request&);
task<answer> delete_guest(context&, request&);
task<answer> act_on_guest(context&, request&);        ///< captures: guest, action
task<answer> act_on_guest_by_get(context&, request&); ///< the original's form; the config may disable it

// guest_changes.cpp
task<answer> patch_guest(context&, request&);
task<answer> get_pending(context&, request&);
task<answer> get_guest_log(context&, request&);
task<answer> attach_disk(context&, request&);
task<answer> detach_disk(context&, request&); ///< captures: guest, disk (its number, or its device's name)
task<answer> resize_disk(context&, request&); ///< likewise
task<answer> attach_nic(context&, request&);
task<answer> detach_nic(context&, request&); ///< captures: guest, nic (its number, or its name)

// adoption.cpp
task<answer> list_unmanaged(context&, request&); ///< machines of the hypervisor that are no guests
task<answer> adopt_guest(context&, request&);

// agent_reports.cpp
task<answer> report_state(context&, request&);    ///< by a sub-agent: the guest's state changed without a job
task<answer> report_progress(context&, request&); ///< by a sub-agent: the progress of a job's stage

// guest_metrics.cpp
task<answer> get_cpu_metrics(context&, request&);
task<answer> get_disk_metrics(context&, request&);
task<answer> get_nic_metrics(context&, request&);

// images.cpp
task<answer> list_images(context&, request&);
task<answer> fetch_image(context&, request&);
task<answer> get_image(context&, request&);
task<answer> delete_image(context&, request&);
task<answer> list_container_images(context&, request&);
task<answer> fetch_container_image(context&, request&);
task<answer> get_container_image(context&, request&);
task<answer> delete_container_image(context&, request&);

// snapshots.cpp; captures: guest[, disk][, snapshot]. The forms with a disk have their own handlers.
task<answer> list_snapshots(context&, request&);
task<answer> create_snapshot(context&, request&);
task<answer> get_snapshot(context&, request&);
task<answer> delete_snapshot(context&, request&);
task<answer> rollback_snapshot(context&, request&);
task<answer> download_snapshot(context&, request&);
task<answer> list_disk_snapshots(context&, request&);
task<answer> create_disk_snapshot(context&, request&);
task<answer> get_disk_snapshot(context&, request&);
task<answer> delete_disk_snapshot(context&, request&);
task<answer> rollback_disk_snapshot(context&, request&);
task<answer> download_disk_snapshot(context&, request&);

// jobs.cpp
task<answer> list_jobs(context&, request&);
task<answer> get_job(context&, request&);
task<answer> list_guest_jobs(context&, request&);
task<answer> get_guest_job(context&, request&);
task<answer> cancel_job(context&, request&);

// host.cpp
task<answer> get_host(context&, request&);
task<answer> set_maintenance(context&, request&); ///< body: {"on":true,"reason":"…"}

// events.cpp
task<answer> get_events(context&, request&); ///< an open-ended response

// access.cpp
task<answer> get_identity(context&, request&);
task<answer> list_tokens(context&, request&);
task<answer> create_token(context&, request&); ///< the only answer that shows the secret, beside rotate
task<answer> delete_token(context&, request&);
task<answer> rotate_token(context&, request&); ///< captures: id of the token

// audit.cpp
task<answer> list_audit(context&, request&); ///< who asked for what, newest first

// cluster.cpp
task<answer> leave_host(context&, request&); ///< removes this host from the cluster

// health.cpp
task<answer> get_health(context&, request&);    ///< whether the process serves
task<answer> get_readiness(context&, request&); ///< whether the agent can accept work

// documentation.cpp
task<answer> get_description(context&, request&); ///< the API, in OpenAPI
task<answer> get_docs(context&, request&);        ///< the same as a page
task<answer> get_page_part(context&, request&);   ///< styles and scripts of the pages; captures: file

// prometheus.cpp
task<answer> get_agent_metrics(context&, request&);  ///< of the agent itself, for Prometheus
task<answer> get_guests_metrics(context&, request&); ///< of all guests, as last fetched

// log_level.cpp
task<answer> get_log_level(context&, request&);
task<answer> set_log_level(context&, request&); ///< body: {"level":"debug"}

// config.cpp
task<answer> get_config(context&, request&); ///< merged, without secrets

// debug_actors.cpp
task<answer> list_actors(context&, request&); ///< JSON, or the page that shows it
task<answer> get_actor(context&, request&);   ///< captures: id of the actor

// pprof.cpp
task<answer> get_pprof_index(context&, request&);
task<answer> get_cpu_profile(context&, request&);
task<answer> get_heap_profile(context&, request&);
task<answer> get_growth_profile(context&, request&);
task<answer> get_threads(context&, request&);
task<answer> get_symbols(context&, request&);
task<answer> look_up_symbols(context&, request&); ///< the addresses are in the body
task<answer> get_command_line(context&, request&);

} // namespace mistify::http::handlers
