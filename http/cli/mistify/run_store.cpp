#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/download.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/part_file.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/waiting.hpp"

/// Images and snapshots.
namespace mistify::cli {

namespace {

client::disk_number disk_of(const context& cx) {
  constexpr unsigned most = 1'000'000;
  const auto number = cx.number("--disk", 0, most);
  return number ? client::disk_number{static_cast<unsigned>(*number)} : std::nullopt;
}

int print_list(std::string_view kind, const std::string& json, const layout& how) {
  const auto list = client::decode<rpc::json::document>(json);
  print_rows(kind, list.root().items("list"), how);
  return code(status::done);
}

int settle_one(context& cx, const std::string& label, const std::string& job) {
  error_list errors;
  settle(cx, {{label, job}}, errors);
  return errors.finish();
}

std::string destroy_body(const context& cx, const std::string& dest) {
  rpc::json::writer out;
  out.begin_object();
  if (!dest.empty())
    out.key("dest").value(dest);
  if (cx.args.has("--destroy-more-recent"))
    out.key("destroyMoreRecent").value(true);
  out.end_object();
  return std::move(out).str();
}

} // namespace

int list_images(context& cx) {
  const auto how = cx.output(format::table, {"id", "type", "size", "status", "volume"});
  return print_list("image", cx.agent().images(cx.args.text("--type")).body, how);
}

int show_image(context& cx) {
  const auto how = cx.output(format::yaml, {"id", "type", "size", "status", "volume"});
  const auto one =
    client::decode<rpc::json::document>(cx.agent().image(cx.args.text("IMAGE"), cx.args.text("--type")).body);
  print_object("image", one.root(), how);
  return code(status::done);
}

int fetch_image(context& cx) {
  rpc::json::writer out;
  out.begin_object();
  for (const auto& [member, option] : {std::pair{"id", "--id"}, {"type", "--type"}, {"sha256", "--sha256"}})
    if (cx.args.has(option))
      out.key(member).value(cx.args.text(option));
  out.key("source").value(cx.args.text("SOURCE")).end_object();
  const auto& id = cx.args.text("--id");
  return settle_one(cx, "fetch " + (id.empty() ? cx.args.text("SOURCE") : id), cx.agent().fetch_image(out.str()).job);
}

int delete_images(context& cx) {
  error_list errors;
  std::vector<queued_job> jobs;
  for (const auto& id : cx.args.list("IMAGE")) {
    try {
      jobs.push_back({"delete " + id, cx.agent().delete_image(id, cx.args.text("--type")).job});
    } catch (const client::failure& e) {
      errors.add("delete " + id, e);
    }
  }
  settle(cx, jobs, errors);
  return errors.finish();
}

int list_snapshots(context& cx) {
  const auto how = cx.output(format::table, {"id", "size"});
  return print_list("snapshot", cx.agent().snapshots(guest_id(cx, cx.args.text("GUEST")), disk_of(cx)).body, how);
}

int create_snapshot(context& cx) {
  const auto guest = guest_id(cx, cx.args.text("GUEST"));
  const auto& name = cx.args.text("NAME");
  return settle_one(cx, "snapshot of " + cx.args.text("GUEST"),
                    cx.agent().create_snapshot(guest, destroy_body(cx, name), disk_of(cx)).job);
}

int rollback_snapshot(context& cx) {
  const auto guest = guest_id(cx, cx.args.text("GUEST"));
  const auto& name = cx.args.text("NAME");
  return settle_one(cx, "rollback of " + cx.args.text("GUEST") + " to " + name,
                    cx.agent().rollback_snapshot(guest, name, destroy_body(cx, ""), disk_of(cx)).job);
}

int delete_snapshot(context& cx) {
  const auto guest = guest_id(cx, cx.args.text("GUEST"));
  const auto& name = cx.args.text("NAME");
  return settle_one(cx, "delete of snapshot " + name, cx.agent().delete_snapshot(guest, name, disk_of(cx)).job);
}

int download_snapshot(context& cx) {
  const auto& name = cx.args.text("NAME");
  if (!cx.args.has("FILE") && (name.find('/') != name.npos || name.starts_with('.')))
    throw give_up{status::usage, "the snapshot's name is no file name: say where to write it"};
  const auto& file = cx.args.text(cx.args.has("FILE") ? "FILE" : "NAME");
  const auto place = cx.args.text("FILE") == "-" ? "" : download_place(file); // before anything is asked for
  download(cx, {guest_id(cx, cx.args.text("GUEST")), name, disk_of(cx), place});
  return code(status::done);
}

} // namespace mistify::cli
