#pragma once

#include "temp_dir.hpp"

#include <filesystem>

namespace mistify::test {

/// A disk of 4 MiB in memory. Needs root.
class small_disk {
public:
  small_disk();
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  const std::filesystem::path& path() const noexcept { return dir_.path(); }

  void fill() const; ///< until no byte fits
  void make_room() const;

private:
  temp_dir dir_;
};

} // namespace mistify::test
