#include "actors/ids.hpp"

#include <chrono>
#include <cstdint>
#include <uuid/uuid.h>

namespace mistify::actors {

namespace {

std::string in_words(const uuid_t& id) {
  char text[UUID_STR_LEN];
  uuid_unparse_lower(id, text);
  return text;
}

} // namespace

std::string new_uuid() {
  uuid_t id;
  uuid_generate_random(id);
  return in_words(id);
}

std::string new_job_id() {
  using namespace std::chrono;
  constexpr int time_bytes = 6;
  constexpr unsigned char version = 0x70;
  uuid_t id;
  uuid_generate_random(id);
  auto ms = static_cast<std::uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  for (int i = time_bytes; i-- > 0; ms >>= 8)
    id[i] = static_cast<unsigned char>(ms & 0xff);
  id[time_bytes] = static_cast<unsigned char>(version | (id[time_bytes] & 0x0f));
  return in_words(id);
}

bool is_uuid(std::string_view text) noexcept {
  uuid_t id;
  return text.size() == UUID_STR_LEN - 1 && uuid_parse_range(text.data(), text.data() + text.size(), id) == 0;
}

} // namespace mistify::actors
