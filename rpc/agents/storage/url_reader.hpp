#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::storage {

/// A source could not be read; `again`: trying once more may help.
class source_error : public std::runtime_error {
public:
  source_error(const std::string& what, bool again, int status = 0)
    : runtime_error{what}, again_{again}, status_{status} {}
  bool again() const noexcept { return again_; }
  int status() const noexcept { return status_; } ///< of HTTP; 0 where it is not about one

private:
  bool again_;
  int status_;
};

struct reader_settings {
  std::string ca_file = {};            ///< certificates to trust beside https; empty: the system's
  std::vector<std::string> files = {}; ///< folders that file URLs may lead into; none: any
  std::chrono::seconds connect_time{10};
  std::chrono::seconds stall_time{30}; ///< without a byte
};

/// What the reader hands on. What the functions throw leaves `read`.
struct reader_sink {
  /// Before the bytes: where they begin (0, unless it was asked to go on and the source could), and the size of the whole,
  /// -1 where that is not known.
  std::function<void(std::int64_t from, std::int64_t total)> begin;
  std::function<void(std::string_view bytes)> data;
  /// Asked a few times a second; true ends the reading.
  std::function<bool()> stop;
};

/// Reads one http, https or file URL, in several goes where it has to be. Redirects lead to http and https only, however
/// they begin. Belongs to one thread.
class url_reader {
public:
  /// Throws std::invalid_argument where it is none of these.
  url_reader(std::string url, reader_settings settings);
  ~url_reader();
  url_reader(const url_reader&) = delete;
  url_reader& operator=(const url_reader&) = delete;

  /// Throws `source_error` where the URL is of a file that cannot be read; of others it knows nothing yet.
  void expect_file() const;

  /// Reads from that byte on; from the first one where the source cannot do so or has changed since the last go. Throws
  /// `source_error`.
  void read(std::int64_t from, const reader_sink& sink);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The last part of a URL's path: "http://h/a/b.qcow2.gz?x" → "b.qcow2.gz".
std::string file_name_of(std::string_view url);

} // namespace mistify::agents::storage
