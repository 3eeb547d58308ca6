#include "actors/ids.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/passed_stream.hpp"
#include "http/api/snapshot_names.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/unmanaged.hpp"

#include <chrono>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

/// The subject of a request's path: the snapshots of a guest, for all disks together or one of them.
struct target {
  std::string guest, disk, name; ///< disk and name may be empty
  bool all_disks() const { return disk.empty(); }

  /// `guests/{id}[/disk-{d}][@{name}]`
  std::string id() const {
    return "guests/" + guest + (disk.empty() ? "" : "/disk-" + disk) + (name.empty() ? "" : '@' + name);
  }
};

/// Disks and snapshots become parts of dataset names, so they must not contain separators.
void check_name(std::string_view what, std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
  if (name.find_first_not_of(allowed) != std::string_view::npos || name.starts_with('-') || name == "." || name == "..")
    throw failure{errc::invalid_request, std::string{what} + ": only letters, digits and - _ . : are allowed"};
}

/// A store can neither keep nor restore a disk that lies elsewhere: a snapshot of the whole guest would be of some disks.
void expect_all_in_store(const context& cx, const target& on) {
  const auto guest = rpc::decode_guest(require_guest(cx, on.guest)->doc);
  if (!on.all_disks() || !rpc::is_adopted(guest))
    return;
  for (const auto& disk : guest.disks)
    if (disk.volume.empty() && !disk.extra.contains("read_only"))
      throw failure{errc::conflict, disk.device + " lies outside of the store: take snapshots of single disks"};
}

enum class with_disk : bool { no, yes };

target target_of(const context& cx, const request& from, with_disk disk) {
  target found;
  found.guest = require_guest(cx, from.captures["guest"])->id;
  if (disk == with_disk::yes)
    found.disk = from.captures["disk"];
  if (const auto* snapshot = from.captures.find("snapshot")) // a list has none
    found.name = *snapshot;
  check_name("disk", found.disk);
  check_name("snapshot", found.name);
  return found;
}

/// Requests snapshots; `not found` from a sub-agent becomes `not_found`.
task<std::vector<std::string>> ask_snapshots(context& cx, target of, std::string action, std::string request_id) {
  const rpc::snapshot_request wish{of.id(), "", false, false};
  actors::info_request question{require_action(cx, action), rpc::encode(wish), false, std::move(request_id)};
  rpc::json::document result;
  try {
    result = co_await cx.agents.ask(of.guest, std::move(question));
  } catch (const failure& e) {
    if (means_absent(e))
      throw failure{errc::not_found, "not found"};
    throw;
  }
  co_return from_sub_agent([&] {
    std::vector<std::string> found;
    result.root().members("result"); // throws unless it is an object
    if (const auto* list = result.root().find("snapshots"))
      for (const rpc::json::node& item : list->items("snapshots"))
        found.push_back(rpc::encode(rpc::decode_snapshot(item)));
    return found;
  });
}

task<answer> list(context& cx, request& from, with_disk disk) {
  const auto found = co_await ask_snapshots(cx, target_of(cx, from, disk), "listSnapshots", from.id);
  co_return json_answer(200, json_array(found));
}

task<answer> get(context& cx, request& from, with_disk disk) {
  const auto found = co_await ask_snapshots(cx, target_of(cx, from, disk), "getSnapshot", from.id);
  if (found.empty())
    throw failure{errc::not_found, "not found"};
  co_return json_answer(200, json_array(found));
}

task<answer> queue(context& cx, request_identity who, target on, std::string action, rpc::snapshot_request wish) {
  auto job = make_job(who, require_action(cx, action), rpc::encode(wish));
  const auto queued = co_await cx.agents.queue(on.guest, std::move(job));
  co_return accepted_job(queued);
}

std::string default_name(context& cx, const std::string& guest) {
  constexpr std::size_t random_digits = 8;
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return cx.names.next(guest, now, [] { return actors::new_uuid().substr(0, random_digits); });
}

task<answer> create(context& cx, request& from, with_disk disk) {
  auto wish = rpc::decode_snapshot_request(from.body);
  const auto who = identify(from, rpc::encode(wish));
  if (const auto first = repeated(cx, who))
    co_return accepted_job(*first);
  auto on = target_of(cx, from, disk);
  expect_all_in_store(cx, on);
  if (wish.dest.empty())
    wish.dest = default_name(cx, on.guest);
  check_name("dest", wish.dest);
  wish.id = on.id();
  wish.recursive = on.all_disks();
  co_return co_await queue(cx, who, std::move(on), "createSnapshot", std::move(wish));
}

task<answer> remove(context& cx, request& from, with_disk disk) {
  const auto who = identify(from, {});
  if (const auto first = repeated(cx, who))
    co_return accepted_job(*first);
  auto on = target_of(cx, from, disk);
  rpc::snapshot_request wish{on.id(), "", on.all_disks(), false};
  co_return co_await queue(cx, who, std::move(on), "deleteSnapshot", std::move(wish));
}

task<answer> roll_back(context& cx, request& from, with_disk disk) {
  const auto body = from.body.empty() ? rpc::snapshot_request{} : rpc::decode_snapshot_request(from.body);
  const auto who = identify(from, rpc::encode(body));
  if (const auto first = repeated(cx, who))
    co_return accepted_job(*first);
  auto on = target_of(cx, from, disk);
  expect_all_in_store(cx, on);
  rpc::snapshot_request wish{on.id(), "", body.recursive, body.destroy_more_recent};
  co_return co_await queue(cx, who, std::move(on), "rollbackSnapshot", std::move(wish));
}

task<answer> download(context& cx, request& from, with_disk disk) {
  const auto of = target_of(cx, from, disk);
  const auto what = require_action(cx, "downloadSnapshot");
  auto wish = rpc::encode(rpc::snapshot_request{of.id(), "", of.all_disks(), false});
  const auto grant = co_await cx.agents.open_stream(of.guest, what);
  answer out;
  out.content_type = "application/octet-stream";
  out.body = passed_stream(cx, from, grant, std::move(wish), grant.stall);
  co_return out;
}

} // namespace

task<answer> list_snapshots(context& cx, request& from) {
  return list(cx, from, with_disk::no);
}
task<answer> create_snapshot(context& cx, request& from) {
  return create(cx, from, with_disk::no);
}
task<answer> get_snapshot(context& cx, request& from) {
  return get(cx, from, with_disk::no);
}
task<answer> delete_snapshot(context& cx, request& from) {
  return remove(cx, from, with_disk::no);
}
task<answer> rollback_snapshot(context& cx, request& from) {
  return roll_back(cx, from, with_disk::no);
}
task<answer> download_snapshot(context& cx, request& from) {
  return download(cx, from, with_disk::no);
}
task<answer> list_disk_snapshots(context& cx, request& from) {
  return list(cx, from, with_disk::yes);
}
task<answer> create_disk_snapshot(context& cx, request& from) {
  return create(cx, from, with_disk::yes);
}
task<answer> get_disk_snapshot(context& cx, request& from) {
  return get(cx, from, with_disk::yes);
}
task<answer> delete_disk_snapshot(context& cx, request& from) {
  return remove(cx, from, with_disk::yes);
}
task<answer> rollback_disk_snapshot(context& cx, request& from) {
  return roll_back(cx, from, with_disk::yes);
}
task<answer> download_disk_snapshot(context& cx, request& from) {
  return download(cx, from, with_disk::yes);
}

} // namespace mistify::http::handlers
