#pragma once

#include "rpc/model/codec.hpp"

/// Disks and nics in a client's form.
namespace mistify::test {

inline std::vector<rpc::disk> disks(const std::string& json) {
  return rpc::decode_guest(R"({"disks":)" + json + "}").disks;
}

inline std::vector<rpc::nic> nics(const std::string& json) {
  return rpc::decode_guest(R"({"nics":)" + json + "}").nics;
}

} // namespace mistify::test
