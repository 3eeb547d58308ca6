#pragma once

/// The commands. Each returns the exit status, or throws `give_up` or `client::failure`.
namespace mistify::cli {

struct context;

int list_guests(context& cx);
int create_guest(context& cx);
int show_guests(context& cx);
int act_on_guests(context& cx); ///< the action is the command's name
int stop_guests(context& cx);
int delete_guests(context& cx);
int update_guest(context& cx);

int list_disks(context& cx);
int attach_disk(context& cx);
int resize_disk(context& cx);
int detach_disk(context& cx);
int list_nics(context& cx);
int attach_nic(context& cx);
int detach_nic(context& cx);
int list_pending(context& cx);

int list_unmanaged(context& cx);
int adopt_domain(context& cx);

int list_jobs(context& cx);
int show_jobs(context& cx);
int wait_for_jobs(context& cx);
int cancel_jobs(context& cx);
int show_events(context& cx);

int list_images(context& cx);
int show_image(context& cx);
int fetch_image(context& cx);
int delete_images(context& cx);

int list_snapshots(context& cx);
int create_snapshot(context& cx);
int rollback_snapshot(context& cx);
int delete_snapshot(context& cx);
int download_snapshot(context& cx);

int list_hosts(context& cx);
int list_all_guests(context& cx); ///< of all hosts of the cluster
int find_place(context& cx);

int show_host(context& cx);
int set_maintenance(context& cx);
int drain_host(context& cx);
int leave_cluster(context& cx);
int create_token(context& cx);
int list_tokens(context& cx);
int delete_token(context& cx);
int rotate_token(context& cx);
int show_log(context& cx);
int show_top(context& cx);
int print_completion(context& cx);
int print_version(context& cx);

/// Has the agent begin maintenance, with the reason of --reason. Not a command.
void begin_maintenance(context& cx);

} // namespace mistify::cli
