#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

/// True when an Accept-Encoding header allows gzip: named, or by "*", and not with q=0 (RFC 9110, 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

/// True for the types that are worth it: JSON and text.
bool is_compressible(std::string_view content_type);

/// Compresses bodies in the gzip format. Keeps zlib's states (256 KB each) for the next time, because setting one up
/// costs more than compressing a small answer. Thread-safe.
class compressor {
public:
  compressor();
  ~compressor();

  /// Nothing when zlib fails (no memory): send the text as it is.
  std::optional<std::string> gzip(std::string_view text);

private:
  struct state;
  std::unique_ptr<state> take();
  void put_back(std::unique_ptr<state>);

  std::mutex mutex_;
  std::vector<std::unique_ptr<state>> idle_;
};

} // namespace mistify::http
