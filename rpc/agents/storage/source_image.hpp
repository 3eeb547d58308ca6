#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace mistify::agents::storage {

/// Follows all tables of a qcow2 file from elsewhere: each cluster that they name, compressed ones included, has to lie within
/// the file. A file that was cut off would be read as zeros. Reads each table once, and no data. Throws std::runtime_error
/// with what is wrong.
void expect_whole(const std::filesystem::path& file);

/// Before a file from elsewhere becomes an image: a raw one is taken as it is; a qcow2 file needs no other, is whole by
/// `expect_whole` and sound by qemu-img. Throws std::runtime_error.
void expect_sound_source(const std::filesystem::path& file, const std::string& format,
                         const std::function<bool()>& stop);

/// Bytes of the disk in a file of that format.
std::uint64_t size_of_disk(const std::filesystem::path& file, const std::string& format);

} // namespace mistify::agents::storage
