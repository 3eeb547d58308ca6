#include "rpc/http1/whole_answer.hpp"

#include "rpc/http1/answer_head.hpp"

namespace mistify::rpc {

std::optional<whole_answer> read_whole(std::string_view bytes) {
  constexpr std::string_view head_end = "\r\n\r\n";
  const auto end = bytes.find(head_end);
  if (end == bytes.npos)
    return std::nullopt;
  const auto head = http1::parse_answer_head(bytes.substr(0, end));
  const auto body = bytes.substr(end + head_end.size());
  if (head.codings > 0 || head.lengths == 0 || head.length.value_or(UINT64_MAX) > body.size() || head.is_interim())
    return std::nullopt;
  const bool plain =
    head.status == 200 && head.http_1_1 && head.sound && head.has_one_end() && head.length == body.size();
  return whole_answer{.plain = plain, .keeps_alive = head.keeps_alive(), .body = body};
}

} // namespace mistify::rpc
