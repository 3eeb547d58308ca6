#include "rpc/agents/storage/storage_agent.hpp"

#include "rpc/base/error.hpp"
#include "rpc/fetch/units.hpp"
#include "rpc/fetch/url_reader.hpp"
#include "rpc/model/host_info.hpp"

#include <stdexcept>
#include <string_view>
#include <system_error>

namespace mistify::agents::storage {

namespace {

/// The code that the agent's clients see beside the text.
rpc::errc code_of(std::string_view text) {
  if (text.find(" in use") != text.npos)
    return rpc::errc::sub_agent_in_use;
  if (text.find(" exists already") != text.npos)
    return rpc::errc::sub_agent_conflict;
  return text.find(": not found") != text.npos ? rpc::errc::sub_agent_not_found : rpc::errc::sub_agent_failed;
}

/// Runs `work`, whose errors get codes. "not found" alone stays the text that the original's callers know.
template <class Work>
auto with_codes(Work work) {
  try {
    return work();
  } catch (const std::invalid_argument& e) {
    throw rpc::failure{rpc::errc::sub_agent_refused, e.what()};
  } catch (const fetching::source_refused& e) {
    throw rpc::failure{rpc::errc::sub_agent_refused, e.what()};
  } catch (const std::system_error&) {
    throw; // has a code of its own
  } catch (const std::runtime_error& e) {
    const auto code = code_of(e.what());
    if (code == rpc::errc::sub_agent_failed)
      throw;
    throw rpc::failure{code, e.what()};
  }
}

rpc::store_response store_info_of(const backend& store) {
  const auto size = store.measure_size();
  return {{{store.store_name(), size.total / megabyte, size.free / megabyte, 0}}};
}

} // namespace

storage_agent::storage_agent(const rpc::listen_at& where, std::unique_ptr<backend> store, fetch_settings fetching)
  : store_{std::move(store)}, place_{*store_}, disks_{place_}, seeds_{place_}, images_{place_, std::move(fetching)},
    snapshots_{place_}, volumes_{place_}, server_{where} {
  serve_disks();
  serve_images();
  serve_snapshots();
  serve_volumes();
}

template <class In, class Out, class Room>
void storage_agent::serve(const char* method, Room& room, Out (Room::*f)(const In&)) {
  server_.handle<In, Out>(std::string{"ImageStore."} + method,
                          [&room, f](const In& request) { return with_codes([&] { return (room.*f)(request); }); });
}

template <class In, class Out, class Room>
void storage_agent::serve(const char* method, Room& room, Out (Room::*f)(const In&) const) {
  server_.handle<In, Out>(std::string{"ImageStore."} + method,
                          [&room, f](const In& request) { return with_codes([&] { return (room.*f)(request); }); });
}

void storage_agent::serve_disks() {
  serve("VerifyDisks", disks_, &disks::verify);
  serve("CreateGuestDisks", disks_, &disks::create);
  serve("CreateSeed", seeds_, &seeds::create);
  for (const auto* name : {"ImageStore.DeleteGuestsDisks", "ImageStore.DeleteGuestDisks"})
    server_.handle<rpc::guest_request, rpc::guest_response>(name, [this](const rpc::guest_request& request) {
      return with_codes([&] {
        auto answer = disks_.remove(request);
        seeds_.remove(request.guest.id);
        return answer;
      });
    });
  serve("AttachDisk", disks_, &disks::attach_new);
  serve("DetachDisk", disks_, &disks::detach);
  serve("ResizeDisk", disks_, &disks::resize);
}

void storage_agent::serve_images() {
  serve("ListImages", images_, &images::list);
  serve("GetImage", images_, &images::get);
  serve("DeleteImage", images_, &images::remove);
  serve("CloneImage", images_, &images::clone);
  server_.handle<rpc::image_request, rpc::image_response>(
    "ImageStore.RequestImage", [this](const rpc::image_request& request, const rpc::asker& who) {
      return with_codes([&] { return images_.request(request, who); });
    });
}

void storage_agent::serve_snapshots() {
  serve("ListSnapshots", snapshots_, &snapshots::list);
  serve("GetSnapshot", snapshots_, &snapshots::get);
  serve("CreateSnapshot", snapshots_, &snapshots::create);
  serve("DeleteSnapshot", snapshots_, &snapshots::remove);
  serve("RollbackSnapshot", snapshots_, &snapshots::rollback);
  server_.handle_http("/snapshots/download",
                      [this](std::string_view body) { return snapshots_.download(body, stream_format::raw); });
  server_.handle_http("/snapshots/download/qcow2",
                      [this](std::string_view body) { return snapshots_.download(body, stream_format::qcow2); });
}

void storage_agent::serve_volumes() {
  serve("ListVolumes", volumes_, &volumes::list);
  serve("GetVolume", volumes_, &volumes::get);
  serve("CreateVolume", volumes_, &volumes::create);
  serve("DeleteDataset", volumes_, &volumes::remove);
  server_.handle<rpc::host_request, rpc::store_response>(
    "ImageStore.StoreInfo", [this](const rpc::host_request&) { return store_info_of(*store_); });
}

} // namespace mistify::agents::storage
