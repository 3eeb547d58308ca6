#pragma once

#include "rpc/agents/storage/command.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// What the store has qemu-img do. Throws std::runtime_error with its reason, in the store's words where a file is in use.
namespace mistify::agents::storage::qemu_img {

/// An empty disk; on another file where `backing` (as it is written into the head, from the folder where the new file is
/// going to be) is not empty.
void create(const std::filesystem::path& file, std::uint64_t size, const std::string& backing = {});

/// A copy in a qcow2 file that is not compressed and needs no other.
void convert(const std::filesystem::path& from, const std::string& format, const std::filesystem::path& to,
             const std::function<bool()>& stop = {});

/// A copy onto a block device.
void write_device(const std::filesystem::path& from, const std::string& format, const std::filesystem::path& device,
                  const std::function<bool()>& stop = {});

void resize(const std::filesystem::path& file, std::uint64_t size);

/// Puts a disk on another file behind it ("": none), with the same content as before.
void rebase(const std::filesystem::path& file, const std::string& backing);

} // namespace mistify::agents::storage::qemu_img
