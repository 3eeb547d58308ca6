#pragma once

#include "http/protocol/message.hpp"
#include "rpc/http1/request_reader.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

using rpc::http1::refusal;
using rpc::http1::request_head;
using rpc::http1::request_reader;

/// Splits a path, as `request::segments` has it. False for one that does not decode.
bool split_path(std::string_view path, std::vector<std::string>& segments);

/// Makes a request of a framed one. Any method is taken: what is unknown is for the routes to refuse. The path is split
/// before it is decoded, so that an encoded slash stays a part of its segment. Knows no state.
class request_parser {
public:
  /// Null if it is taken: then everything that the head says is in `to`, which may have held another request.
  /// A target over 8192 bytes is refused with 414, a path that does not decode with 400.
  static std::optional<refusal> parse(const request_head& head, request& to);
};

} // namespace mistify::http
