#include "http/api/views/public_guest.hpp"

#include "rpc/model/cloud_init.hpp"
#include "rpc/model/codec.hpp"

#include <utility>

namespace mistify::http {

namespace {

/// The metadata key that clients may write but not read; sub-agents read it.
constexpr const char* write_only_key = "vnc.password";

} // namespace

bool mentions_secrets(std::string_view doc) noexcept {
  return doc.find(write_only_key) != doc.npos || doc.find(rpc::cloud_init_member) != doc.npos;
}

/// Guests whose text does not contain the keys, which are most, are not parsed.
std::string public_guest(std::string doc) {
  if (!mentions_secrets(doc))
    return doc;
  auto guest = rpc::decode_guest(doc);
  rpc::hide_user_data(guest);
  guest.metadata = public_metadata(std::move(guest.metadata));
  return rpc::encode(guest);
}

rpc::metadata_map public_metadata(rpc::metadata_map metadata) {
  metadata.erase(write_only_key);
  return metadata;
}

} // namespace mistify::http
