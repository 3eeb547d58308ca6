#pragma once

#include "rpc/agents/storage/place.hpp"
#include "rpc/kit/server.hpp"
#include "rpc/model/messages.hpp"

namespace mistify::agents::storage {

/// Snapshots of guests (of all their disks at one moment) and of single volumes. Thread-safe. Error texts: `need an id`,
/// `need a dest`, `not a snapshot`, `not found`, and reasons.
class snapshots {
public:
  explicit snapshots(place& where) : place_{where} {}

  /// Of the dataset and of everything below it; of all, without an id.
  rpc::snapshot_response list(const rpc::snapshot_request& request) const;
  rpc::snapshot_response get(const rpc::snapshot_request& request) const;
  /// Takes the snapshot `dest` of `id`. A guest is its disks, so that it wants `recursive`.
  rpc::snapshot_response create(const rpc::snapshot_request& request);
  /// `recursive`: a guest's, with those of that name of its disks.
  rpc::snapshot_response remove(const rpc::snapshot_request& request);
  /// Takes a disk back, or all disks of a guest. Refused where more recent ones exist, unless they are to be destroyed.
  rpc::snapshot_response rollback(const rpc::snapshot_request& request);

  /// Answers a POST of a bare snapshot request: 200 and the bytes, 400, 404 or 500.
  rpc::http_answer download(std::string_view body, stream_format format);

private:
  snapshot_id parse(const std::string& id) const;
  void expect_all_in_folder(const dataset_id& of) const;
  rpc::snapshot_response of_name(const snapshot_id& id, bool below) const;

  place& place_;
};

} // namespace mistify::agents::storage
