#include "actors/ids.hpp"

#include <uuid/uuid.h>

namespace mistify::actors {

std::string new_uuid() {
  uuid_t id;
  uuid_generate_random(id);
  char text[UUID_STR_LEN];
  uuid_unparse_lower(id, text);
  return text;
}

bool is_uuid(std::string_view text) noexcept {
  uuid_t id;
  return text.size() == UUID_STR_LEN - 1 && uuid_parse_range(text.data(), text.data() + text.size(), id) == 0;
}

} // namespace mistify::actors
