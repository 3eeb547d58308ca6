#pragma once

#include "rpc/agents/container/containers.hpp"
#include "rpc/kit/server.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::agents::container {

/// What of a guest's output is asked for: `{"guest","tail","offset","limit","follow"}`, where `guest` is a guest or its id.
struct log_request {
  std::string guest;
  std::optional<std::uint64_t> tail;  ///< lines from the end
  std::uint64_t offset = 0;           ///< bytes of what the engine still has
  std::optional<std::uint64_t> limit; ///< bytes
  bool follow = false;
};

/// Throws `failure{invalid_request}` or std::invalid_argument that names the field.
log_request parse_log_request(std::string_view body);

/// The output of guests' containers, stdout and stderr mixed as they came. Thread-safe.
class guest_log {
public:
  /// `pause`: between two looks at a container that is off while its log is followed.
  guest_log(containers& of, engine& on, std::chrono::milliseconds pause = std::chrono::milliseconds{500})
    : containers_{of}, engine_{on}, pause_{pause} {}

  /// The answer to a POST of a `log_request`: the output as a stream; 400 for a request that makes no sense, 404 for a guest without a
  /// container. One that follows goes on over restarts of the container, until the container is removed or the receiver leaves.
  rpc::http_answer answer(std::string_view body);

private:
  bool stream(const log_request& what, const rpc::byte_sink& to);
  bool send_run(const log_request& what, const container_facts& facts, const std::string& since,
                const std::function<bool(std::string_view)>& out, const rpc::byte_sink& to);
  std::optional<container_facts> wait_for_run(const std::string& guest, const std::string& after,
                                              const rpc::byte_sink& to);

  containers& containers_;
  engine& engine_;
  const std::chrono::milliseconds pause_;
};

} // namespace mistify::agents::container
