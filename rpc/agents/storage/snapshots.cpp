#include "rpc/agents/storage/snapshots.hpp"

#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents::storage {

namespace {

rpc::snapshot as_snapshot(const snapshot_facts& s) {
  return {s.id.text(), in_megabytes(s.size)};
}

rpc::http_answer refusal(int status, const std::string& text) {
  return {.status = text == "not found" || text == "not a snapshot" ? 404 : status, .text = text};
}

} // namespace

snapshot_id snapshots::parse(const std::string& id) const {
  return snapshot_id::parse(place_.without_prefix(id));
}

/// The snapshots with this one's name, of its dataset and, where asked for, of those below.
rpc::snapshot_response snapshots::of_name(const snapshot_id& id, bool below) const {
  rpc::snapshot_response found;
  for (const auto& s : place_.store().snapshots(id.of.text()))
    if (s.id.name == id.name && (below || s.id.of == id.of))
      found.snapshots.push_back(as_snapshot(s));
  if (found.snapshots.empty())
    throw std::runtime_error{"not found"};
  return found;
}

/// A snapshot of the whole guest reaches the disks in its folder; one that is left out would make it half a guest.
void snapshots::expect_all_in_folder(const dataset_id& of) const {
  if (!of.is_guest())
    return;
  auto& store = place_.store();
  for (const auto& volume : store.list(""))
    if (!volume.id.guest() && !volume.id.is_image() && store.owner_of(volume.id) == of.last_part())
      throw std::runtime_error{volume.id.text() +
                               " is a disk of the guest, too, which its snapshots do not reach: take "
                               "them disk by disk"};
}

rpc::snapshot_response snapshots::list(const rpc::snapshot_request& request) const {
  rpc::snapshot_response found;
  for (const auto& s : place_.store().snapshots(request.id.empty() ? "" : place_.dataset(request.id).text()))
    found.snapshots.push_back(as_snapshot(s));
  return found;
}

rpc::snapshot_response snapshots::get(const rpc::snapshot_request& request) const {
  return of_name(parse(request.id), false);
}

rpc::snapshot_response snapshots::create(const rpc::snapshot_request& request) {
  if (request.id.find('@') != std::string::npos)
    throw std::invalid_argument{"cannot create a snapshot of a snapshot"};
  const auto of = place_.dataset(request.id);
  expect_snapshot_name(request.dest);
  if (of.is_guest() && !request.recursive)
    throw std::invalid_argument{of.text() + " holds nothing but its disks: a snapshot of it has to be recursive"};
  const snapshot_id id{of, request.dest};
  const auto turn = place_.take(of);
  expect_all_in_folder(of);
  place_.store().snapshot(id);
  return of_name(id, request.recursive);
}

rpc::snapshot_response snapshots::remove(const rpc::snapshot_request& request) {
  const auto id = parse(request.id);
  const auto turn = place_.take(id.of);
  auto removed = of_name(id, request.recursive);
  place_.store().destroy_snapshot(id, request.recursive);
  return removed;
}

rpc::snapshot_response snapshots::rollback(const rpc::snapshot_request& request) {
  const auto id = parse(request.id);
  const auto turn = place_.take(id.of);
  expect_all_in_folder(id.of);
  place_.store().rollback(id, request.destroy_more_recent);
  return of_name(id, false);
}

rpc::http_answer snapshots::download(std::string_view body, stream_format format) {
  try {
    const auto id = parse(rpc::decode_snapshot_request(body).id);
    const auto turn = place_.take(id.of);
    if (!id.of.is_guest())
      of_name(id, false); // of a guest's, the stream itself says what it lacks
    auto content = place_.store().open_snapshot(id, format);
    return {.stream = std::move(content.write), .length = content.length};
  } catch (const rpc::failure& e) {
    return refusal(400, e.message());
  } catch (const std::invalid_argument& e) {
    return refusal(400, e.what());
  } catch (const std::exception& e) {
    return refusal(500, e.what());
  }
}

} // namespace mistify::agents::storage
