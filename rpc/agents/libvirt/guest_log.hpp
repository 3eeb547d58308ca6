#pragma once

#include "rpc/kit/log_request.hpp"
#include "rpc/kit/server.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace mistify::agents {

/// How often a log that is followed is looked at.
struct log_pace {
  std::chrono::milliseconds look{250}; ///< between two looks
  int looks_a_check = 20;              ///< after so many of them it is asked whether the machine is still there
};

/// Answers requests for the console's output of guests, see console_log. Thread-safe.
class guest_log {
public:
  /// `is_there` tells whether a guest has a machine; it throws std::runtime_error ("conflict: …") where a foreign
  /// domain is in its place, and std::invalid_argument for what is no id of a guest. Any thread may call it.
  guest_log(std::filesystem::path folder, std::function<bool(const rpc::log_request& of)> is_there, log_pace often = {})
    : folder_{std::move(folder)}, is_there_{std::move(is_there)}, pace_{often} {}

  /// The answer to a POST of an `rpc::log_request`: the output as a stream; 400 for a request that makes no sense, 404
  /// for a guest without a machine, 409 for a foreign domain, 500 for a log that cannot be read. One that follows goes
  /// on over reboots and rotations until the machine is deleted or the receiver leaves.
  rpc::http_answer answer(std::string_view body) const;

private:
  rpc::http_answer open(const rpc::log_request& what) const;
  bool has_machine(const rpc::log_request& what) const;

  const std::filesystem::path folder_;
  const std::function<bool(const rpc::log_request&)> is_there_;
  const log_pace pace_;
};

} // namespace mistify::agents
