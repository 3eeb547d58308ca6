#pragma once

#include "rpc/http1/answer_head.hpp"
#include "rpc/http1/chunk_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Reads answers off a byte stream that waits for what is missing. `Stream` has `peek`, `next`, `why` and `fault` as
/// `socket_stream` has them.
namespace mistify::rpc::http1 {

/// Moves the next head, with its empty line, out of the stream. Null if the stream ends before, or the head is over `most`
/// bytes.
template <class Stream>
std::optional<std::string> take_head(Stream& on, std::size_t most = SIZE_MAX) {
  constexpr std::string_view head_end = "\r\n\r\n";
  std::string text;
  while (text.size() <= most) {
    const auto bytes = on.peek();
    if (bytes.empty())
      return std::nullopt;
    const auto before = text.size();
    text += bytes;
    const auto end = text.find(head_end, before - std::min(before, head_end.size() - 1));
    if (end != text.npos)
      text.resize(end + head_end.size());
    on.next(text.size() - before);
    if (end != text.npos)
      return text;
  }
  return std::nullopt;
}

template <class Stream, class OnData>
bool read_exactly(Stream& on, std::uint64_t left, const OnData& hand_on) {
  while (left > 0) {
    const auto bytes = on.next(left);
    if (bytes.empty() || !hand_on(bytes))
      return false;
    left -= bytes.size();
  }
  return true;
}

template <class Stream, class OnData>
bool read_chunks(Stream& on, const OnData& hand_on) {
  for (chunk_reader chunks; !chunks.done();) {
    const auto [used, content] = chunks.take(on.peek());
    if (used == 0)
      return false; // no byte came, or the chunks break a rule
    on.next(used);
    if (!content.empty() && !hand_on(content))
      return false;
  }
  return true;
}

template <class Stream, class OnData>
bool read_to_close(Stream& on, const OnData& hand_on) {
  for (;;) {
    const auto bytes = on.next(SIZE_MAX);
    if (bytes.empty())
      return on.why() == Stream::fault::closed;
    if (!hand_on(bytes))
      return false;
  }
}

/// Hands the body that follows `head` on, piece by piece; true if it came to its proper end. False too if `hand_on`
/// returns false.
template <class Stream, class OnData>
bool read_body(Stream& on, const answer_head& head, const OnData& hand_on) {
  if (head.status == 204 || head.status == 304)
    return true;
  if (head.chunked)
    return read_chunks(on, hand_on);
  return head.length ? read_exactly(on, *head.length, hand_on) : read_to_close(on, hand_on);
}

} // namespace mistify::rpc::http1
