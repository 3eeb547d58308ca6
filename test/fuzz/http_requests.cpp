#include "fuzz.hpp"
#include "http/protocol/request_parser.hpp"
#include "rpc/http1/request_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

using namespace mistify;
using namespace mistify::fuzz;
using rpc::http1::request_reader;

namespace {

// Small, so that inputs of a few hundred bytes get past them.
constexpr request_reader::limits bounds{.max_head = 400, .max_body = 200};

/// Everything that was understood of a stream of bytes, as text.
struct reading {
  std::string requests;
  bool refused = false;
  bool at_a_boundary = false;
  std::size_t buffered = 0;

  bool operator==(const reading&) const = default;
};

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_head(const http::request_head& head) {
  demand(head.text.size() <= bounds.max_head, "a head is within its limit");
  demand(lies_in(head.method, head.text) && lies_in(head.target, head.text), "a request line lies in its head");
  for (const auto& field : head.fields)
    demand(lies_in(field.name, head.text) && lies_in(field.value, head.text), "a field lies in its head");
}

void check_request(const http::request& request) {
  demand(request.method != "HEAD", "handlers see GET in the place of HEAD");
  demand(request.path.starts_with('/') || request.path == "*", "a path is rooted");
  for (const auto& segment : request.segments)
    demand(segment.find('\0') == segment.npos, "a segment holds no NUL byte");
}

std::string described(const http::request_head& head, http::request& request) {
  if (const auto refusal = http::request_parser::parse(head, request)) {
    demand(refusal->status >= 400 && refusal->status < 600, "a refusal is an error");
    return "refused " + std::to_string(refusal->status) + ' ';
  }
  check_request(request);
  std::string out = request.method + ' ' + request.path + ' ';
  for (std::size_t i = 0; i < request.headers.size(); ++i)
    out.append(request.headers[i].name).append("=").append(request.headers[i].value).append(" ");
  return out;
}

/// `request` has what the one before has left.
void take_request(request_reader& in, reading& out, http::request& request) {
  check_head(in.head());
  out.requests += described(in.head(), request);
  const auto body = in.take_body();
  demand(body.size() <= bounds.max_body, "a body is within its limit");
  out.requests += std::to_string(body.size()) + ' ' + body + '\n';
  in.next();
}

/// Takes all requests that are complete. A client is told once a request at most to go on.
void advance(request_reader& in, reading& out, http::request& request) {
  for (bool told = false; !out.refused;) {
    switch (in.advance()) {
    case request_reader::progress::more: return;
    case request_reader::progress::go_on: demand(!std::exchange(told, true), "a client is told once to go on"); break;
    case request_reader::progress::complete:
      take_request(in, out, request);
      told = false;
      break;
    case request_reader::progress::refused:
      out.refused = true;
      out.requests += "refused " + std::to_string(in.why().status);
      break;
    }
  }
}

/// `piece` says how many bytes come next.
template <class Piece>
reading read_in_pieces(std::string_view bytes, Piece piece) {
  request_reader in{bounds};
  http::request request;
  reading out;
  while (!bytes.empty() && !out.refused) {
    const auto size = std::min<std::size_t>(piece(), bytes.size());
    in.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    advance(in, out, request);
  }
  // What is left behind a refusal is nobody's.
  out.at_a_boundary = !out.refused && in.empty();
  out.buffered = out.refused ? 0 : in.buffered();
  return out;
}

/// Sizes that look random but depend on the input only, so that a finding can be repeated.
class sizes {
public:
  explicit sizes(std::string_view seed) : state_{1 + seed.size()} {
    for (unsigned char c : seed)
      state_ = state_ * 1099511628211u + c;
  }
  std::size_t operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return 1 + (state_ >> 59u);
  }

private:
  std::uint64_t state_;
};

} // namespace

// The input is what a client sends on one connection. Where a packet ends must not change what it means.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  const auto whole = read_in_pieces(bytes, [&] { return bytes.size(); });
  demand(read_in_pieces(bytes, [] { return std::size_t{1}; }) == whole, "bytes one by one mean the same");
  demand(read_in_pieces(bytes, sizes{bytes}) == whole, "bytes in pieces mean the same");
  return 0;
}
