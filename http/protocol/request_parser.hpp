#pragma once

#include "http/protocol/framer.hpp"
#include "http/protocol/message.hpp"

#include <memory>
#include <string>
#include <variant>

namespace mistify::http {

/// Makes a request of a framed one. cpp-httplib reads the target, unless that is a plain path: its answer to what it does
/// not understand becomes the refusal. It is shown nothing else, because it percent-decodes header values, answers a Range
/// that it does not understand with 416, and knows ten methods only: what other methods get is for the routes to say. The
/// path is split before it is decoded, so that an encoded slash stays a part of its segment.
///
/// `parse` may be called from any thread, from several at a time.
class request_parser {
public:
  request_parser();
  ~request_parser();

  /// Everything but `body`, `peer` and `captures` is filled in.
  std::variant<request, refusal> parse(const request_head& head) const;

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

} // namespace mistify::http
