#pragma once

#include "rpc/base/unique_fd.hpp"
#include "rpc/fetch/address_policy.hpp"
#include "rpc/fetch/answer_head.hpp"
#include "rpc/fetch/url.hpp"
#include "rpc/fetch/url_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <curl/curl.h>
#include <exception>
#include <string>
#include <string_view>

namespace mistify::fetching {

/// The body shows that the answer is not the part that was asked for.
class other_version {};

struct url_reader::impl {
  impl(const std::string& text, reader_settings s);
  ~impl();
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  const url_parts url;
  const reader_settings settings;
  const address_policy policy;
  CURL* curl;
  bool exempt = false; // the URL is the image server's own
  const reader_sink* sink = nullptr;

  // Of the version that is being read:
  answer_head first;
  std::int64_t size = -1, at = 0;
  bool ranges_refused = false;

  // Of one answer:
  answer_head head;
  std::int64_t wanted = 0;
  bool begun = false, trusted = false;
  unsigned sockets = 0;
  std::string_view objection;
  std::exception_ptr trouble; // what a function of the sink threw
  char reason[CURL_ERROR_SIZE] = {};

  void read(std::int64_t from, const reader_sink& to);
  void follow();
  bool was_redirected() const;
  url_parts next_after(const url_parts& here) const;
  void begin();
  void begin_whole();
  void take(std::string_view bytes);
  void expect_all() const;
  bool has_all() const;
  long status() const;
  void expect_good_status() const;
  void expect_readable() const;

  // url_request.cpp
  void ask(const url_parts& where);
  rpc::unique_fd open_file() const; ///< of a file URL
  void prepare(const url_parts& where);
  curl_socket_t open_socket(const curl_sockaddr& to);
  [[noreturn]] void fail(CURLcode code, const url_parts& where) const;

  template <class F>
  bool guarded(F f) noexcept {
    try {
      f();
      return true;
    } catch (...) {
      trouble = std::current_exception();
      return false;
    }
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* to);
};

} // namespace mistify::fetching
