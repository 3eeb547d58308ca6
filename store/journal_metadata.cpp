#include "rpc/model/codec.hpp"
#include "store/guest_merge.hpp"
#include "store/journal_impl.hpp"

#include <utility>

// Changes of metadata: a guest's, and the hypervisor's.
namespace mistify::store {

using rpc::errc;
using rpc::failure;

rpc::metadata_map journal::patch_guest_metadata(std::string_view guest_id, const rpc::metadata_patch& patch,
                                                std::string_view if_match) {
  return impl_->step([&](pending_changes& staged) {
    auto stored = impl_->guest(guest_id);
    if (!stored)
      throw failure{errc::not_found, "no such guest"};
    impl_->expect_match(*stored, if_match);
    auto guest = rpc::decode_guest(stored->doc);
    auto before = guest.metadata;
    rpc::apply(guest.metadata, patch);
    auto changed = to_stored(guest);
    expect_fit(changed->doc.size(), stored->doc.size(), impl_->settings.bounds.guest_bytes, errc::too_large,
               "the guest with this metadata");
    if (guest.metadata != before && impl_->put_guest(std::move(changed), staged))
      impl_->tell_change(guest, guest.state, staged);
    return guest.metadata;
  });
}

rpc::metadata_map journal::patch_metadata(const rpc::metadata_patch& patch) {
  return impl_->step([&](pending_changes& staged) {
    auto before = impl_->metadata();
    auto after = before;
    rpc::apply(after, patch);
    expect_fit(rpc::encode(after).size(), rpc::encode(before).size(), impl_->settings.bounds.metadata_bytes,
               errc::too_large, "the metadata");
    impl_->agent_metadata.change(before, after);
    staged.metadata = after;
    return after;
  });
}

} // namespace mistify::store
