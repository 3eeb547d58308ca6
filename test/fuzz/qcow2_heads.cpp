#include "fuzz.hpp"
#include "rpc/images/backing_chain.hpp"
#include "rpc/images/qcow2_header.hpp"

#include <stdexcept>

using namespace mistify;
using namespace mistify::fuzz;

/// The first bytes of a disk file, which a guest or a stranger wrote.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  try {
    const auto header = images::parse_qcow2(bytes);
    demand(header.has_value() == images::begins_like_qcow2(bytes), "what begins like a qcow2 file is judged as one");
    if (!header)
      return 0;
    demand(header->backing.size() < 1024, "the name of a backing file is bounded");
    demand(header->cluster_bits >= 9 && header->cluster_bits <= 21, "clusters have a size");
    const auto behind = images::backing_path("/store/disk.qcow2", *header);
    demand(!images::names_a_protocol(header->backing) && behind.is_absolute(), "what is behind it is a path");
  } catch (const std::runtime_error& refusal) {
    demand(*refusal.what() != '\0', "a refusal says why");
  }
  return 0;
}
