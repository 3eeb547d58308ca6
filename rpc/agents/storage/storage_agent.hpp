#pragma once

#include "rpc/agents/storage/disks.hpp"
#include "rpc/agents/storage/images.hpp"
#include "rpc/agents/storage/seeds.hpp"
#include "rpc/agents/storage/snapshots.hpp"
#include "rpc/agents/storage/volumes.hpp"
#include "rpc/kit/server.hpp"

#include <cstdint>
#include <memory>

namespace mistify::agents::storage {

/// Keeps the disks of guests, and the images that they are made of. Methods: `ImageStore.` with VerifyDisks,
/// CreateGuestDisks, DeleteGuestsDisks (also DeleteGuestDisks), CreateSeed; ListImages, GetImage, RequestImage,
/// DeleteImage, CloneImage; ListSnapshots, GetSnapshot, CreateSnapshot, DeleteSnapshot, RollbackSnapshot; ListVolumes,
/// GetVolume, CreateVolume, DeleteDataset. Downloads of snapshots: POST to /snapshots/download, and
/// /snapshots/download/qcow2 for that format.
class storage_agent {
public:
  storage_agent(const rpc::listen_at& where, std::unique_ptr<backend> store, fetch_settings fetching = {});

  rpc::server& server() noexcept { return server_; }

private:
  template <class In, class Out, class Room>
  void serve(const char* method, Room& room, Out (Room::*f)(const In&));
  template <class In, class Out, class Room>
  void serve(const char* method, Room& room, Out (Room::*f)(const In&) const);

  void serve_disks();
  void serve_images();
  void serve_snapshots();
  void serve_volumes();

  std::unique_ptr<backend> store_;
  place place_;
  disks disks_;
  seeds seeds_;
  images images_;
  snapshots snapshots_;
  volumes volumes_;
  rpc::server server_; // last: its handlers use what is above
};

} // namespace mistify::agents::storage
