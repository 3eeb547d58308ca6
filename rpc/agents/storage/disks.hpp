#pragma once

#include "rpc/agents/storage/place.hpp"
#include "rpc/model/messages.hpp"

namespace mistify::agents::storage {

/// The disks of guests. A disk of a guest is one of
///   made here        `guests/ID/disk-N`, empty with a `size`, or from an `image`; a size below the image's means the image's
///   a volume         where `volume` names one that CreateVolume or CloneImage made, and no other guest has
///   not the store's  where only `source` is given, which must not lead into the store: the hypervisor judges it
/// Format and place are the store's to say: it sets `volume`, `source` (what the hypervisor opens), `size` and `format`,
/// whatever was asked for beside them. Thread-safe. Throws
/// std::invalid_argument that names the disk, and std::runtime_error.
class disks {
public:
  explicit disks(place& where) : place_{where} {}

  /// Says whether `create` would succeed, with the sizes filled in: `no space left on device` where all sizes together are
  /// more than is free, since what is promised has to be kept.
  rpc::guest_response verify(const rpc::guest_request& request) const;

  /// Makes what is missing; what is there already with that size stays. All or none. The stage's arg `clone` = `full` has
  /// images copied, so that the disks do not need them any more.
  rpc::guest_response create(const rpc::guest_request& request);

  /// Removes the guest's disks with their snapshots; what is gone is no error. The guest comes back without them.
  rpc::guest_response remove(const rpc::guest_request& request);

  /// Makes the disk of the params and adds it to the guest. Its number is one above all that the guest's volumes have.
  rpc::guest_response attach_new(const rpc::guest_request& request);

  /// Takes the disk whose device the params name off the guest. Its volume stays, or goes where they say `delete`.
  rpc::guest_response detach(const rpc::guest_request& request);

  /// Makes the disk as large as the params say. One in use is left to the hypervisor, but its space is promised here.
  rpc::guest_response resize(const rpc::guest_request& request);

private:
  struct plan;
  plan plan_for(const rpc::guest_request& request) const;
  void look_at(plan& p, std::size_t index, std::size_t number) const;
  plan plan_to_attach(const rpc::guest_request& request) const;
  rpc::guest_response carry_out(plan p, clone_kind kind);
  void attach(plan& p, std::size_t index) const;
  void expect_foreign(const rpc::disk& d, const std::string& field) const;
  void claim(plan& p, clone_kind kind);
  void release(const rpc::guest& guest);
  void release_one(const rpc::disk& d, const std::string& guest);
  void give_back(const plan& p) noexcept;
  void claim_space(plan& p, clone_kind kind) const;
  void make(plan& p, clone_kind kind);

  place& place_;
};

} // namespace mistify::agents::storage
