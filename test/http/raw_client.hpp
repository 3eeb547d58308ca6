#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace mistify::test {

/// A response as received.
struct raw_answer {
  int status = 0;                             ///< 0: the connection ended before a response head
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;                           ///< decoded from chunks
  bool whole = false;                         ///< false: incomplete
};

/// A client that sends exactly the given bytes, on a blocking loopback socket. Waits end after five seconds.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, int receive_buffer = 0);
  virtual ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  /// Returns false if the server no longer accepts data.
  bool send(std::string_view bytes);
  raw_answer answer(bool to_head = false);
  raw_answer get(const std::string& target, const std::string& more_headers = "");
  /// True if the server has closed, or closes within five seconds, without sending more.
  bool closed();
  /// True if no byte arrives for that long and the connection stays open.
  bool silent_for(std::chrono::milliseconds time);
  /// At most `n` bytes; "" at the end.
  std::string receive(std::size_t n);
  /// Returns everything until the server closes; sets `reset` if it was by a reset.
  std::string rest(bool* reset = nullptr);
  void send_no_more();
  void close();

protected:
  int fd() const noexcept { return fd_; }
  /// As send(2) and recv(2) on the socket; for a client that speaks TLS over it.
  virtual ssize_t put(const char* bytes, std::size_t size);
  virtual ssize_t fetch(char* bytes, std::size_t size);

private:
  bool more();
  bool take_line(std::string& line);
  bool take(std::size_t n, std::string& to);

  int fd_;
  std::string in_;
  bool reset_ = false;
};

} // namespace mistify::test
