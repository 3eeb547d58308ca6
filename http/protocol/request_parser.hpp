#pragma once

#include "http/protocol/message.hpp"
#include "rpc/http1/request_reader.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mistify::http {

using rpc::http1::refusal;
using rpc::http1::request_head;
using rpc::http1::request_reader;

/// Splits a path, as `request::segments` has it. Null for one that does not decode.
std::optional<std::vector<std::string>> split_path(std::string_view path);

/// Makes a request of a framed one. Any method is taken: what is unknown is for the routes to refuse. The path is split
/// before it is decoded, so that an encoded slash stays a part of its segment. Knows no state.
class request_parser {
public:
  /// Everything but `body`, `peer` and `captures` is filled in.
  /// A target over 8192 bytes is refused with 414, a path that does not decode with 400.
  static std::variant<request, refusal> parse(const request_head& head);
};

} // namespace mistify::http
