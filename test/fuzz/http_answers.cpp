#include "fuzz.hpp"
#include "rpc/http1/answer_head.hpp"
#include "rpc/http1/chunk_reader.hpp"
#include "rpc/http1/whole_answer.hpp"

#include <algorithm>
#include <string>

using namespace mistify::fuzz;
using namespace mistify::rpc;

namespace {

struct reading {
  std::string body;
  bool done = false;
};

/// Reads a chunked body that comes in pieces of `piece` bytes.
reading read_chunks(std::string_view bytes, std::size_t piece) {
  reading result;
  http1::chunk_reader reader;
  while (!bytes.empty()) {
    const auto here = bytes.substr(0, piece);
    const auto [used, content] = reader.take(here);
    demand(used <= here.size() && content.size() <= used, "no more is used than came");
    result.body += content;
    if (used == 0)
      break;
    bytes.remove_prefix(used);
  }
  result.done = reader.done();
  demand(!result.done || reader.why() == http1::chunk_reader::fault::none, "a body that is done has no fault");
  return result;
}

void check_whole(std::string_view bytes) {
  const auto whole = read_whole(bytes);
  if (!whole)
    return;
  const auto end = bytes.find("\r\n\r\n");
  demand(end != bytes.npos && whole->body == bytes.substr(end + 4), "the body is what follows the head");
  const auto head = http1::parse_answer_head(bytes.substr(0, end));
  demand(!whole->plain || (head.status == 200 && head.has_one_end() && head.length == whole->body.size()),
         "a plain answer has one end");
}

} // namespace

// What a sub-agent sends as its HTTP answer: head, then body. The body alone is read as chunks too.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  check_whole(bytes);
  const auto at_once = read_chunks(bytes, SIZE_MAX), in_bytes = read_chunks(bytes, 1);
  demand(at_once.done == in_bytes.done, "pieces do not change whether a body is done");
  if (at_once.done)
    demand(at_once.body == in_bytes.body, "pieces do not change a body");
  return 0;
}
