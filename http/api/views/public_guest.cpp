#include "http/api/views/public_guest.hpp"

#include "rpc/model/codec.hpp"

#include <utility>

namespace mistify::http {

namespace {

/// Of a guest's metadata; sub-agents read it, clients only write it.
constexpr const char* write_only_key = "vnc.password";

} // namespace

/// Most guests have none of it, and are not parsed: the key stands in the text of each one that has.
std::string public_guest(std::string doc) {
  if (doc.find(write_only_key) == doc.npos)
    return doc;
  auto guest = rpc::decode_guest(doc);
  guest.metadata = public_metadata(std::move(guest.metadata));
  return rpc::encode(guest);
}

rpc::metadata_map public_metadata(rpc::metadata_map metadata) {
  metadata.erase(write_only_key);
  return metadata;
}

} // namespace mistify::http
