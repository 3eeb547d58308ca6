#pragma once

#include "rpc/agents/storage/command.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// What the store has qemu-img do, with bounds on memory, time, open files and what it writes. The format is always said, and
/// never probed. Throws std::runtime_error with its reason, in the store's words where a file is in use; `no space left on
/// device` where it found none.
namespace mistify::agents::storage::qemu_img {

/// An empty disk; on another file where `backing` (as it is written into the head, from the folder where the new file is
/// going to be) is not empty.
void create(const std::filesystem::path& file, std::uint64_t size, const std::string& backing = {});

/// Throws unless the tables of a qcow2 file are sound.
void check(const std::filesystem::path& file, const std::function<bool()>& stop = {});

/// Bytes that `convert` would write.
std::uint64_t measure(const std::filesystem::path& file, const std::string& format,
                      const std::function<bool()>& stop = {});

/// A copy of a disk of `size` bytes in a qcow2 file that is not compressed and needs no other.
void convert(const std::filesystem::path& from, const std::string& format, const std::filesystem::path& to,
             std::uint64_t size, const std::function<bool()>& stop = {});

/// A copy onto a block device.
void write_device(const std::filesystem::path& from, const std::string& format, const std::filesystem::path& device,
                  const std::function<bool()>& stop = {});

void resize(const std::filesystem::path& file, std::uint64_t size);

/// Puts a disk on another file behind it ("": none), with the same content as before.
void rebase(const std::filesystem::path& file, const std::string& backing);

} // namespace mistify::agents::storage::qemu_img
