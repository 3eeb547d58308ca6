#pragma once

#include "rpc/agents/storage/backend.hpp"
#include "rpc/agents/storage/qcow2.hpp"

#include <string>
#include <utility>
#include <vector>

/// Disks as streams of bytes that are made while they are sent: no copy on disk, and a megabyte of memory.
namespace mistify::agents::storage {

/// Every byte of the disk, as a guest sees them.
byte_stream raw_stream(qcow2_chain disk);

/// The disk as one qcow2 file that needs no other: first all tables, then the data that there are.
byte_stream qcow2_stream(qcow2_chain disk);

/// Streams of known lengths as the files of one tar archive.
byte_stream tar_stream(std::vector<std::pair<std::string, byte_stream>> files);

} // namespace mistify::agents::storage
