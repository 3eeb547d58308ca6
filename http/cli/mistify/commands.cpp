#include "http/cli/mistify/command.hpp"
#include "http/cli/mistify/runs.hpp"

namespace mistify::cli {

namespace {

const argument guest{"GUEST", word::guest}, guests{"GUEST", word::guest, true, true},
  jobs{"JOB", word::job, true, true}, image{"IMAGE", word::image}, images{"IMAGE", word::image, true, true},
  snapshot_name{"NAME", word::snapshot}, token{"TOKEN", word::token};

const option force{"--force", "", "remove the record even if a stage fails"},
  preempt{"--preempt", "", "end what runs and waits before it"},
  disk{"--disk", "N", "of this disk only; else of all disks"},
  within{"--within", "SECONDS", "how long the guest may take"},
  then{"--then", "WHAT", "after that: poweroff or fail", word::then},
  destroy{"--destroy-more-recent", "", "remove the snapshots that are newer"},
  type{"--type", "TYPE", "\"container\", or another one for disks"}, limit{"--limit", "N", "at most so many"},
  follow{"-f,--follow", "", "show what comes, until Ctrl-C"};

const std::vector<option> member_options{
  {"--name", "NAME", "a name, unique among the guests"},
  {"--memory", "MB", "memory in MB"},
  {"--cpu", "N", "processors"},
  {"--label", "K=V", "a label; may be repeated", word::text, true},
  {"-f,--file", "FILE", "the API's JSON, \"-\" from standard input; other options beat it", word::file},
};

std::vector<option> with(std::vector<option> some, const std::vector<option>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

std::vector<command> guest_commands() {
  return {
    {"list",
     "list the guests",
     {},
     {{"--state", "STATE", "in this state only"},
      {"--name", "NAME", "of this name only"},
      {"--label", "K=V", "with this label; may be repeated", word::text, true},
      limit,
      {"--all-hosts", "", "of all hosts of the cluster, as its keys have them"}},
     list_guests,
     true},
    {"create",
     "create a guest",
     {},
     with(member_options,
          {{"--disk", "MB|IMAGE[:MB]", "a disk, empty or of an image; may be repeated", word::text, true},
           {"--nic", "NETWORK", "a network interface; may be repeated", word::text, true},
           {"--type", "TYPE", "such as \"container\""},
           {"--image", "IMAGE", "the image of a container", word::image},
           {"--metadata", "K=V", "a pair of the guest's metadata; may be repeated", word::text, true},
           {"--id", "UUID", "the id; else the agent makes one"},
           {"--start", "", "start it once it is created"},
           {"--user-data", "FILE", "cloud-init's user data", word::file}}),
     create_guest,
     false,
     true},
    {"show", "show guests whole", {guests}, {}, show_guests, true},
    {"start", "start guests", {guests}, {}, act_on_guests, false, true},
    {"stop",
     "shut guests down",
     {guests},
     {{"--force", "", "power off instead"}, within, then, preempt},
     stop_guests,
     false,
     true},
    {"shutdown", "ask guests to shut down", {guests}, {within, then}, act_on_guests, false, true},
    {"reboot", "ask guests to reboot", {guests}, {within, then}, act_on_guests, false, true},
    {"restart", "power guests off and on", {guests}, {}, act_on_guests, false, true},
    {"poweroff", "take the power away", {guests}, {preempt}, act_on_guests, false, true},
    {"suspend", "pause guests", {guests}, {}, act_on_guests, false, true},
    {"resume", "let paused guests go on", {guests}, {}, act_on_guests, false, true},
    {"hibernate", "save guests' memory and power them off", {guests}, {}, act_on_guests, false, true},
    {"delete", "delete guests and their disks", {guests}, {force, preempt}, delete_guests, false, true},
    {"update",
     "change a guest",
     {guest},
     with(member_options, {{"--apply", "WHEN", "live, next-start or either", word::apply}}),
     update_guest,
     false,
     true},
    {"unmanaged", "list the domains of the hypervisor that are no guests", {}, {}, list_unmanaged, true},
    {"adopt",
     "take a domain into care, running or not",
     {{"DOMAIN", word::domain}},
     {{"--name", "NAME", "a name, unique among the guests; else the domain's"},
      {"--label", "K=V", "a label; may be repeated", word::text, true},
      {"--metadata", "K=V", "a pair of the guest's metadata; may be repeated", word::text, true}},
     adopt_domain,
     false,
     true},
  };
}

std::vector<command> device_commands() {
  const option apply{"--apply", "WHEN", "live, next-start or either", word::apply};
  const argument one_disk{"DISK"}, one_nic{"NIC"};
  return {
    {"disks list", "list a guest's disks", {guest}, {}, list_disks, true},
    {"disks attach",
     "give a guest one more disk: MB or IMAGE[:MB]",
     {guest, {"DISK"}},
     {apply},
     attach_disk,
     false,
     true},
    {"disks resize", "make a guest's disk larger", {guest, one_disk, {"MB"}}, {apply}, resize_disk, false, true},
    {"disks detach",
     "take a disk from a guest",
     {guest, one_disk},
     {{"--delete", "", "and what is on it"}, apply},
     detach_disk,
     false,
     true},
    {"nics list", "list a guest's network interfaces", {guest}, {}, list_nics, true},
    {"nics attach",
     "give a guest one more network interface",
     {guest, {"NETWORK"}},
     {{"--model", "MODEL", "such as virtio"}, {"--mac", "MAC", "its address; else one is made"}, apply},
     attach_nic,
     false,
     true},
    {"nics detach", "take a network interface from a guest", {guest, one_nic}, {apply}, detach_nic, false, true},
    {"pending", "list what of a guest waits for its next start", {guest}, {}, list_pending, true},
  };
}

std::vector<command> job_commands() {
  return {
    {"jobs",
     "list the jobs, newest first",
     {{"GUEST", word::guest, false}},
     {{"--status", "STATUS", "Queued, Running, Complete or Error", word::status},
      {"--action", "ACTION", "of this action only"},
      limit,
      follow},
     list_jobs,
     true},
    {"job", "show jobs whole", {jobs}, {}, show_jobs, true},
    {"wait", "wait until jobs have ended", {jobs}, {}, wait_for_jobs},
    {"cancel", "cancel jobs", {jobs}, {}, cancel_jobs},
    {"events",
     "show what happens, until Ctrl-C",
     {},
     {{"--guest", "GUEST", "of this guest; may be repeated", word::guest, true},
      {"--type", "TYPE", "such as guest, job or job.ended; may be repeated", word::text, true},
      {"--action", "ACTION", "of jobs of this action; may be repeated", word::text, true},
      {"--behind", "ID", "begin behind this event; 0: as far back as there are any"}},
     show_events,
     true},
  };
}

std::vector<command> store_commands() {
  return {
    {"images list", "list the images", {}, {type}, list_images, true},
    {"images get", "show an image whole", {image}, {type}, show_image, true},
    {"images fetch",
     "have an image fetched",
     {{"SOURCE"}},
     {{"--id", "ID", "what it shall be called"},
      {"--sha256", "SUM", "the SHA-256 that the source must have, in hexadecimal"},
      type},
     fetch_image,
     false,
     true},
    {"images delete", "delete images", {images}, {type}, delete_images, false, true},
    {"snapshots list", "list a guest's snapshots", {guest}, {disk}, list_snapshots, true},
    {"snapshots create",
     "take a snapshot",
     {guest, {"NAME", word::text, false}},
     {disk, destroy},
     create_snapshot,
     false,
     true},
    {"snapshots rollback",
     "return to a snapshot",
     {guest, snapshot_name},
     {disk, destroy},
     rollback_snapshot,
     false,
     true},
    {"snapshots delete", "delete a snapshot", {guest, snapshot_name}, {disk}, delete_snapshot, false, true},
    {"snapshots download",
     "write a snapshot to FILE (default: its name), \"-\" to standard output",
     {guest, snapshot_name, {"FILE", word::file, false}},
     {disk},
     download_snapshot},
  };
}

std::vector<command> cluster_commands() {
  return {
    {"hosts", "list the hosts of the cluster", {}, {}, list_hosts, true},
    {"place",
     "name the hosts of the cluster that have room for a guest, the best first",
     {},
     {{"--memory", "MB", "memory in MB"},
      {"--cpu", "N", "processors"},
      {"--disk", "MB", "disks in MB"},
      {"--count", "N", "for so many guests of this size: a line for each, or nothing"}},
     find_place,
     true},
  };
}

std::vector<command> host_commands() {
  return {
    {"host show", "show the host", {}, {}, show_host, true},
    {"host maintenance",
     "keep the host from starting and creating guests, or let it again",
     {{"STATE", word::on_off}},
     {{"--reason", "TEXT", "why"}},
     set_maintenance,
     true},
    {"host drain",
     "begin maintenance, and list the guests that still run",
     {},
     {{"--wait", "", "wait until none runs"},
      {"--within", "SECONDS", "give up the wait after so long"},
      {"--reason", "TEXT", "why"}},
     drain_host,
     true},
    {"host leave",
     "remove the host from its cluster",
     {},
     {{"--force", "", "although guests live"}},
     leave_cluster,
     true},
    {"token create",
     "make a bearer token and print it, once",
     {{"NAME"}},
     {{"--role", "ROLE", "viewer, operator, controller, metrics, sub-agent or admin", word::role},
      {"--scope", "SCOPE", "a single right in place of a role; may be repeated", word::text, true},
      {"--guest", "GUEST", "limit it to this guest; may be repeated", word::guest, true},
      {"--label", "K=V", "limit it to guests with this label"},
      {"--service", "NAME", "the service that a sub-agent's token speaks for"},
      {"--expires", "TIME", "when it ends, such as 2027-01-31T00:00:00Z"}},
     create_token},
    {"token list", "list the tokens, without their secrets", {}, {}, list_tokens, true},
    {"token delete", "end a token at once", {token}, {}, delete_token},
    {"token rotate",
     "make a new secret and print it; the old one holds for ten minutes more",
     {token},
     {},
     rotate_token},
    {"log", "show the console's output of a guest", {guest}, {{"--tail", "N", "the last N lines"}, follow}, show_log},
    {"top",
     "show what the guests use, live",
     {},
     {{"-d,--delay", "SECONDS", "between two looks (default 2)"},
      {"-n,--count", "N", "end after N looks; without a terminal 1"},
      {"--sort", "COLUMN", "guest, cpu, read, write, rx or tx (default cpu)"}},
     show_top},
    {"completion", "print the completion script of a shell", {{"SHELL", word::shell}}, {}, print_completion},
    {"version", "print the versions of this command and of the agent", {}, {}, print_version},
  };
}

} // namespace

const std::vector<command>& commands() {
  static const std::vector<command> all = [] {
    auto made = guest_commands();
    for (const auto& more : {device_commands(), job_commands(), store_commands(), cluster_commands(), host_commands()})
      made.insert(made.end(), more.begin(), more.end());
    return made;
  }();
  return all;
}

} // namespace mistify::cli
