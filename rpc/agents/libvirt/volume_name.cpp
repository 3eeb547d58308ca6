#include "rpc/agents/libvirt/volume_name.hpp"

#include <algorithm>

namespace mistify::agents {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

bool is_part(std::string_view text) {
  return !text.empty() && is_word(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '-' || c == '.' || c == ':'; });
}

bool are_parts(std::string_view name) {
  const auto slash = name.find('/');
  return is_part(name.substr(0, slash)) && (slash == name.npos || are_parts(name.substr(slash + 1)));
}

bool is_disk(std::string_view part) {
  constexpr std::string_view prefix = "disk-";
  return part.starts_with(prefix) && part.size() > prefix.size() &&
         std::ranges::all_of(part.substr(prefix.size()), is_digit);
}

volume_owner owner_of_disk(std::string_view below_guests, std::string_view guest) {
  const auto slash = below_guests.find('/');
  if (slash == below_guests.npos || !is_disk(below_guests.substr(slash + 1)))
    return volume_owner::store;
  return below_guests.substr(0, slash) == guest ? volume_owner::guest : volume_owner::another;
}

} // namespace

volume_owner owner_of_volume(std::string_view name, std::string_view guest) noexcept {
  constexpr std::string_view images = "images/", guests = "guests/", seeds = "seeds";
  if (name.size() > 255 || !are_parts(name))
    return volume_owner::store;
  if (name.substr(0, name.find('/')) == seeds)
    return volume_owner::store;
  if (name.starts_with(images))
    return volume_owner::image;
  if (name.starts_with(guests))
    return owner_of_disk(name.substr(guests.size()), guest);
  return volume_owner::nobody;
}

} // namespace mistify::agents
