#pragma once

#include "store/guest_facts.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mistify::store {

/// What the start needs of a guest's document.
struct scanned_guest {
  std::string_view id, type, wanted; ///< parts of the document
  guest_facts facts;
};

/// Reads a document as the codec writes nearly all: compact, ASCII without escapes, whole numbers, each member once and of
/// its type. Null for any other, valid or not, which has to be decoded. A tenth of the time of decoding, which for ten
/// thousand guests is most of a start; returns what `rpc::decode_guest` and `facts_of` do.
std::optional<scanned_guest> scan_guest(std::string_view doc);

} // namespace mistify::store
