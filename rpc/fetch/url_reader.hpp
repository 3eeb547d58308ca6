#pragma once

#include "rpc/fetch/url.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::fetching {

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

/// The sink wants no more.
class cancelled : public source_error {
public:
  cancelled() : source_error{"cancelled", false} {}
};

/// A rule of this host forbids the source: its folder, its address, or where it redirects to. Trying again never helps.
class source_refused : public source_error {
public:
  explicit source_refused(const std::string& what) : source_error{what, false} {}
};

/// The source redirects to where nobody is sent.
class redirect_refused : public source_refused {
public:
  using source_refused::source_refused;
};

struct reader_settings {
  std::string ca_file = {};            ///< certificates to trust beside https; empty: the system's
  std::vector<std::string> files = {}; ///< folders that file URLs may lead into; none: any
  std::vector<std::string> nets = {};  ///< networks that may be connected to beside the Internet (`address_policy`)
  std::string server = {};             ///< URL whose origin may have any address; empty: none
  std::chrono::seconds connect_time{10};
  std::chrono::seconds stall_time{30}; ///< below the least rate
  unsigned least_rate = 1;             ///< bytes a second
};

/// What the reader hands on. What the functions throw leaves `read`.
struct reader_sink {
  /// Before the bytes: where they begin (0, unless it was asked to go on and the source could), and the size of the whole,
  /// -1 where that is not known. Once more, with 0, where the source turns out to have another version.
  std::function<void(std::int64_t from, std::int64_t total)> begin;
  std::function<void(std::string_view bytes)> data;
  /// Asked a few times a second; true ends the reading.
  std::function<bool()> stop;
};

/// Reads one http, https or file URL, in several goes where it has to be. Redirects lead to http and https only, never from
/// https to http. Every address is judged before it is connected to; no proxy is used, since its connections are not.
/// Belongs to one thread.
class url_reader {
public:
  /// Throws std::invalid_argument where the URL or a network is none.
  url_reader(const std::string& url, reader_settings settings);
  ~url_reader();
  url_reader(const url_reader&) = delete;
  url_reader& operator=(const url_reader&) = delete;

  /// Throws `source_error` where the URL is of a file that cannot be read, `source_refused` where it must not be; of other
  /// URLs it knows nothing yet.
  void expect_file() const;

  /// Reads from that byte on; from the first one where the source cannot do so or has changed since the last go, so that
  /// versions are never mixed. Throws `source_error`, whose text has no URL; `source_refused` where a rule forbids it.
  void read(std::int64_t from, const reader_sink& sink);

  /// Content-Type of the last answer, lower case.
  const std::string& content_type() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Whether trying again may help after that `CURLcode`: the connection or the server is at fault, not the request.
bool helps_to_retry(int code) noexcept;

} // namespace mistify::fetching
