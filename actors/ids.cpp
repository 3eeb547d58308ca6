#include "actors/ids.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <uuid/uuid.h>

namespace mistify::actors {

namespace {

constexpr std::size_t version_at = 6, variant_at = 8; // bytes

/// Ids must be unique, not secret: a generator seeded once per thread suffices. The kernel's, which libuuid calls for
/// each id, took 3 in 100 instructions of a job (callgrind).
std::mt19937_64& random_bits() {
  thread_local std::mt19937_64 bits = [] {
    std::random_device kernel;
    std::array<std::random_device::result_type, 8> seeds;
    std::generate(seeds.begin(), seeds.end(), std::ref(kernel));
    std::seed_seq sequence(seeds.begin(), seeds.end());
    return std::mt19937_64{sequence};
  }();
  return bits;
}

/// Fills all bits at random except for the version and the variant; RFC 9562 puts the version into the high half of a
/// byte.
void fill(uuid_t& id, int version) {
  for (std::size_t at = 0; at < sizeof(uuid_t); at += sizeof(std::uint64_t)) {
    const std::uint64_t bits = random_bits()();
    std::memcpy(id + at, &bits, sizeof bits);
  }
  id[version_at] = static_cast<unsigned char>(version << 4 | (id[version_at] & 0x0f));
  id[variant_at] = static_cast<unsigned char>(0x80 | (id[variant_at] & 0x3f));
}

std::string in_words(const uuid_t& id) {
  char text[UUID_STR_LEN];
  uuid_unparse_lower(id, text);
  return text;
}

} // namespace

std::string new_uuid() {
  uuid_t id;
  fill(id, 4);
  return in_words(id);
}

std::string new_job_id() {
  using namespace std::chrono;
  constexpr int time_bytes = 6;
  uuid_t id;
  fill(id, 7);
  auto ms = static_cast<std::uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  for (int i = time_bytes; i-- > 0; ms >>= 8)
    id[i] = static_cast<unsigned char>(ms & 0xff);
  return in_words(id);
}

bool is_uuid(std::string_view text) noexcept {
  uuid_t id;
  return text.size() == UUID_STR_LEN - 1 && uuid_parse_range(text.data(), text.data() + text.size(), id) == 0;
}

} // namespace mistify::actors
