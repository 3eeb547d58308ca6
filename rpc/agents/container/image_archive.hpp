#pragma once

#include "rpc/agents/container/tar_index.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mistify::agents::container {

/// An image archive as the engine is given it: a docker-archive of one image under one tag. Of the
/// archive only the contents of config and layers are passed on, under heads and names that are made here: engines differ
/// in how they read odd heads, and what the archive says of names could take the name of another image.
///
/// Reads docker-archives (`docker save`, with manifest.json) and OCI archives (oci-layout and index.json); which it is, is
/// told by content. An OCI archive of several platforms gives the host's. The engine checks the layers against the image's
/// config; the config, of an OCI archive, is checked here against the digest it is named by.
class image_archive {
public:
  /// `tag` is REPOSITORY:TAG. Throws std::runtime_error with what is wrong with the archive; also if its layers have more
  /// than `most` bytes, each counted as often as it is used, since the engine unpacks it so often.
  image_archive(const std::filesystem::path& file, const std::string& tag, std::uint64_t most = UINT64_MAX);

  std::uint64_t size() const noexcept { return size_; } ///< bytes
  /// The next bytes, up to `most`; returns how many.
  std::size_t read(char* to, std::size_t most);

private:
  /// Bytes of the file, or of `text` where `size` is 0.
  struct piece {
    std::string text;
    std::uint64_t from = 0, size = 0;
    std::uint64_t length() const noexcept { return size > 0 ? size : text.size(); }
  };
  void add(piece p);

  tar_index archive_;
  std::vector<piece> pieces_;
  std::uint64_t size_ = 0;
  std::size_t piece_ = 0;
  std::uint64_t at_ = 0; ///< within the piece
};

/// Throws `fetching::wrong_content` for bytes that no image archive begins with.
void expect_archive_head(std::string_view head);

} // namespace mistify::agents::container
