#pragma once

#include "http/protocol/client_socket.hpp"
#include "http/protocol/message.hpp"
#include "http/server/reader_pace.hpp"
#include "http/server/splice_pipe.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string_view>

struct iovec;

namespace mistify::http {

/// One download: runs the source on the calling thread and writes to the socket, blocking, while the client keeps the
/// pace. Call `run` once and the other members after it has returned, except for `client_gone`, which is thread-safe.
class transfer : public download_channel {
public:
  struct manner {
    bool head_only = false, http_1_0 = false, keep_alive = true;
    pace_rule pace; ///< the minimum pace of the client
    std::string request_id;
  };
  enum class ending : std::uint8_t {
    refused, ///< nothing was sent; send `take_answer` instead
    clean,   ///< the client received everything and can verify that
    broken,  ///< incomplete, and the client can detect that
  };

  /// `to` outlives the transfer, which has it to itself until `run` has returned. `a`, whose body is `streamed`, gives the
  /// source, the content type and the headers.
  transfer(client_socket& to, answer a, manner how);

  void run(const std::function<answer(std::exception_ptr)>& on_error);

  ending end() const noexcept { return end_; }
  /// False if only the end of the connection marks the end of the answer.
  bool persists() const noexcept { return length_ >= 0 || chunked() || end_ == ending::refused; }
  answer take_answer() { return std::move(answer_); }

  void begin(std::int64_t content_length) override;
  bool write(std::string_view bytes) override;
  std::optional<ssize_t> relay(int source, std::size_t most) override;
  const rpc::cancellation& client_gone() const override { return gone_; }

private:
  bool chunked() const noexcept { return length_ < 0 && !how_.http_1_0; }
  ending finish(int status);
  bool send_all(std::span<iovec> parts);
  bool send_text(std::string_view text);
  std::optional<ssize_t> copy(int source, std::size_t most);
  bool drain_pipe();
  std::uint64_t taken() const noexcept;
  bool wait_for_room();

  client_socket& to_;
  answer answer_;
  const manner how_;
  rpc::cancellation gone_;
  splice_pipe pipe_;
  bool begun_ = false, failed_ = false;
  std::int64_t length_ = -1, sent_ = 0;
  reader_pace pace_;
  ending end_ = ending::broken;
};

} // namespace mistify::http
