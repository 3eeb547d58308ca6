#pragma once

#include "http/access/principal.hpp"
#include "store/guest_index.hpp"

#include <string>
#include <string_view>
#include <unordered_map>

/// Which guests an identity may know of. Lists, jobs, events and metrics all ask here. Thread-safe.
namespace mistify::http {

/// True if `who` may see that guest.
bool sees(const principal& who, const store::stored_guest& guest);

/// The same by id, for jobs and events. An identity with a selector sees neither the hypervisor's jobs (`agent`) nor
/// those of a guest that is gone, unless its id is selected.
bool sees_guest(const principal& who, const store::guest_index& guests, std::string_view id);

/// The same for many jobs or events of one request: a guest is looked at once. For one thread; `who` and `guests` outlive it.
class guest_view {
public:
  guest_view(const principal& who, const store::guest_index& guests) noexcept : who_{who}, guests_{guests} {}

  bool sees(const std::string& id);

private:
  const principal& who_;
  const store::guest_index& guests_;
  std::unordered_map<std::string, bool> known_;
};

} // namespace mistify::http
