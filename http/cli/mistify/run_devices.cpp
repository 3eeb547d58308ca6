#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/guest_body.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/waiting.hpp"

#include <functional>

/// Disks and network interfaces of a guest, and what of its changes waits for its next start.
namespace mistify::cli {

namespace {

int print_members(context& cx, const std::string& guest, const std::string& member, std::vector<std::string> columns) {
  const auto how = cx.output(format::table, std::move(columns));
  const auto whole = client::decode<rpc::json::document>(cx.agent().guest(guest_id(cx, guest)).body);
  const auto* list = whole.root().find(member);
  print_rows(member == "disks" ? "disk" : "nic", list ? list->items(member) : rows{}, how);
  return code(status::done);
}

/// Asks for one change of the guest; `what` is its name in messages, `device` what of the guest it is about, which may
/// not be there; "": nothing.
int change_guest(context& cx, const std::string& what, const std::string& device,
                 const std::function<std::string(const std::string& id)>& ask) {
  const auto id = guest_id(cx, cx.args.text("GUEST"));
  std::string job;
  try {
    job = ask(id);
  } catch (const client::failure& e) {
    constexpr int not_found = 404;
    if (device.empty() || e.status() != not_found || e.message() != "not found")
      explain_missing(cx, id, what, e);
    cx.agent().guest(id); // throws where the guest is what is missing
    throw give_up{status::absent, "the guest has no " + device};
  }
  error_list errors;
  settle(cx, {{what + " of " + cx.args.text("GUEST"), job}}, errors);
  return errors.finish();
}

client::query apply_of(const context& cx) {
  return cx.args.has("--apply") ? client::query{{"apply", cx.args.text("--apply")}} : client::query{};
}

} // namespace

int list_disks(context& cx) {
  return print_members(cx, cx.args.text("GUEST"), "disks", {"device", "size", "image", "volume"});
}

int attach_disk(context& cx) {
  const auto body = attach_disk_body(cx.args);
  return change_guest(cx, "attach of a disk", "", [&](const std::string& id) {
    return cx.agent().attach_disk(id, {body, {}, {}}).job;
  });
}

int resize_disk(context& cx) {
  const auto body = resize_body(cx.args);
  const auto& disk = cx.args.text("DISK");
  return change_guest(cx, "resize of disk " + disk, "disk " + disk, [&](const std::string& id) {
    return cx.agent().resize_disk(id, disk, {body, {}, {}}).job;
  });
}

int detach_disk(context& cx) {
  client::how_to with{{}, apply_of(cx), {}};
  if (cx.args.has("--delete"))
    with.parameters.emplace_back("delete", "true");
  const auto& disk = cx.args.text("DISK");
  return change_guest(cx, "detach of disk " + disk, "disk " + disk,
                      [&](const std::string& id) { return cx.agent().detach_disk(id, disk, with).job; });
}

int list_nics(context& cx) {
  return print_members(cx, cx.args.text("GUEST"), "nics", {"name", "network", "mac", "address", "device"});
}

int attach_nic(context& cx) {
  const auto body = attach_nic_body(cx.args);
  return change_guest(cx, "attach of a nic", "", [&](const std::string& id) {
    return cx.agent().attach_nic(id, {body, {}, {}}).job;
  });
}

int detach_nic(context& cx) {
  const client::how_to with{{}, apply_of(cx), {}};
  const auto& nic = cx.args.text("NIC");
  return change_guest(cx, "detach of nic " + nic, "nic " + nic,
                      [&](const std::string& id) { return cx.agent().detach_nic(id, nic, with).job; });
}

int list_pending(context& cx) {
  const auto how = cx.output(format::table, {"member", "now", "next"});
  const auto id = guest_id(cx, cx.args.text("GUEST"));
  try {
    const auto list = client::decode<rpc::json::document>(cx.agent().pending(id).body);
    print_rows("change", list.root().items("pending"), how);
  } catch (const client::failure& e) {
    explain_missing(cx, id, "pending", e);
  }
  return code(status::done);
}

} // namespace mistify::cli
