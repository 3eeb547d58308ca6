#pragma once

#include "rpc/model/model.hpp"

#include <string>
#include <string_view>

/// Checks the requests of clients that change a guest, and converts them to the form that jobs store and stages receive
/// (see store/guest_wish.hpp). Errors: `invalid_request` that names the member, `not_found` for a disk or nic that the
/// guest does not have, `conflict` for what its state forbids.
namespace mistify::http::handlers {

struct guest_wish {
  std::string text;         ///< JSON object
  bool needs_stages = true; ///< false: only the agent has to change something
  bool grows = false;       ///< it may need more of the host
};

/// Returns the compact text of a body, which must be a JSON object.
std::string compact(std::string_view body);

/// `body`: members of the guest (RFC 7396), and `apply`.
guest_wish wish_to_patch(const rpc::guest& guest, const std::string& body);

/// `body`: a disk, and `apply`.
guest_wish wish_to_attach_disk(const std::string& body);

/// `disk`: the N of its volume `disk-N`, or the name of its device. `apply`: empty for the default.
guest_wish wish_to_detach_disk(const rpc::guest& guest, std::string_view disk, bool delete_volume,
                               const std::string& apply);

/// `body`: `{"size","apply"}`.
guest_wish wish_to_resize_disk(const rpc::guest& guest, std::string_view disk, const std::string& body);

/// `body`: a nic, and `apply`.
guest_wish wish_to_attach_nic(const std::string& body);

/// `nic`: its place in the list, from 0, or its name.
guest_wish wish_to_detach_nic(const rpc::guest& guest, std::string_view nic, const std::string& apply);

} // namespace mistify::http::handlers
