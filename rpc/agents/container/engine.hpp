#pragma once

#include "rpc/agents/container/engine_transfer.hpp"
#include "rpc/base/json.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::agents::container {

/// Percent-encodes a text for a part of a path or a value of a query.
std::string escaped(std::string_view text);

/// The `filters` parameter, escaped: {"KEY":["VALUE"]}.
std::string filter_of(std::string_view key, std::string_view value);

/// Reads a stream of JSON texts, one a line, as the engine reports progress and events.
class json_lines {
public:
  explicit json_lines(std::function<void(const rpc::json::node& line)> f) : f_{std::move(f)} {}

  /// Calls the function for each line that is complete. Throws `engine_error` for a line of more than 256 KiB. Lines that
  /// are no JSON are skipped.
  void add(std::string_view bytes);
  /// There are no more bytes: what is held is the last line.
  void end();

private:
  void take(std::string_view line);

  std::function<void(const rpc::json::node&)> f_;
  std::string held_;
};

/// Docker's Engine API, version 1.41, as Docker and podman both serve it. Thread-safe.
///
/// Each call throws `engine_away` if the engine does not answer, `engine_error` for what the engine refuses, with its reason, and for
/// answers that make no sense.
class engine {
public:
  explicit engine(std::string socket) : transfer_{std::move(socket)} {}

  rpc::json::document get(const std::string& path);
  /// Null for 404.
  std::optional<rpc::json::document> find(const std::string& path);
  /// Returns null for an empty answer. What is so already (304) is fine.
  std::optional<rpc::json::document> post(const std::string& path, std::string body = {},
                                          std::chrono::milliseconds time = std::chrono::seconds{60});
  /// POSTs an action. Returns true if the engine did it, false if it is so already (304).
  bool act(const std::string& path, std::chrono::milliseconds time = std::chrono::seconds{60});
  /// What is not there (404) is fine.
  void remove(const std::string& path, std::chrono::milliseconds time = std::chrono::seconds{60});

  /// Sends a request whose answer is a stream of progress. An error in the stream is thrown, whatever the status is.
  /// `on_line` sees each line before.
  void follow_progress(engine_request request, const std::function<void(const rpc::json::node& line)>& on_line = {});

  /// Sends a request whose answer goes to its `data`. Throws for a status that is not 2xx.
  void stream(engine_request request);

  const std::string& socket() const noexcept { return transfer_.socket(); }

private:
  engine_transfer transfer_;
};

} // namespace mistify::agents::container
