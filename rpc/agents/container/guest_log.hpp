#pragma once

#include "rpc/agents/container/containers.hpp"
#include "rpc/kit/log_request.hpp"
#include "rpc/kit/server.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::agents::container {

/// The output of guests' containers, stdout and stderr mixed as they came. Thread-safe.
class guest_log {
public:
  /// `pause`: between two looks at a container that is off while its log is followed.
  guest_log(containers& of, engine& on, std::chrono::milliseconds pause = std::chrono::milliseconds{500})
    : containers_{of}, engine_{on}, pause_{pause} {}

  /// The answer to a POST of an `rpc::log_request`: the output as a stream; 400 for a request that makes no sense, 404
  /// for a guest without a container. One that follows goes on over restarts of the container, until the container is
  /// removed or the receiver leaves.
  rpc::http_answer answer(std::string_view body);

private:
  bool stream(const rpc::log_request& what, const rpc::byte_sink& to);
  bool send_run(const rpc::log_request& what, const container_facts& facts, const std::string& since,
                const std::function<bool(std::string_view)>& out, const rpc::byte_sink& to);
  std::optional<container_facts> wait_for_run(const std::string& guest, const std::string& after,
                                              const rpc::byte_sink& to);

  containers& containers_;
  engine& engine_;
  const std::chrono::milliseconds pause_;
};

} // namespace mistify::agents::container
