#include "http/protocol/compress.hpp"

#include "rpc/http1/grammar.hpp"

#include <zlib.h>

namespace mistify::http {

namespace {

constexpr std::size_t max_kept = 4;

/// False for "q=0", "q=0.000" and what is no number.
bool has_weight(std::string_view parameters) {
  bool weight = true;
  rpc::text::each_element(parameters, ';', [&](std::string_view p) {
    if (p.size() < 2 || rpc::text::lower(p[0]) != 'q' || p[1] != '=')
      return;
    weight = p.find_first_of("123456789") != p.npos;
  });
  return weight;
}

} // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  int named = -1, any = -1; // what is said of gzip itself counts more than of "*"
  rpc::text::each_element(accept_encoding, ',', [&](std::string_view element) {
    auto semicolon = element.find(';');
    auto coding = rpc::text::trim(element.substr(0, semicolon));
    int allowed = semicolon == element.npos || has_weight(element.substr(semicolon + 1)) ? 1 : 0;
    if (rpc::text::equal_ignoring_case(coding, "gzip") || rpc::text::equal_ignoring_case(coding, "x-gzip"))
      named = allowed;
    else if (coding == "*")
      any = allowed;
  });
  return named >= 0 ? named == 1 : any == 1;
}

bool is_compressible(std::string_view content_type) {
  if (content_type == "application/json") // as most are
    return true;
  auto type = rpc::text::trim(content_type.substr(0, content_type.find(';')));
  return type.starts_with("text/") || type == "application/json" || type.ends_with("+json");
}

struct compressor::state {
  z_stream z{};
  state() = default;
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() { deflateEnd(&z); }
};

compressor::compressor() = default;
compressor::~compressor() = default;

std::unique_ptr<compressor::state> compressor::take() {
  {
    std::lock_guard lock{mutex_};
    if (!idle_.empty()) {
      auto s = std::move(idle_.back());
      idle_.pop_back();
      return s;
    }
  }
  auto s = std::make_unique<state>();
  constexpr int gzip_format = 15 + 16, memory = 8;
  if (deflateInit2(&s->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_format, memory, Z_DEFAULT_STRATEGY) != Z_OK)
    return nullptr;
  return s;
}

void compressor::put_back(std::unique_ptr<state> s) {
  if (deflateReset(&s->z) != Z_OK)
    return;
  std::lock_guard lock{mutex_};
  if (idle_.size() < max_kept)
    idle_.push_back(std::move(s));
}

std::optional<std::string> compressor::gzip(std::string_view text) {
  auto s = take();
  if (!s)
    return std::nullopt;
  std::string out;
  out.resize(deflateBound(&s->z, text.size()));
  // zlib does not write through next_in; its type only says so.
  s->z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  s->z.avail_in = static_cast<uInt>(text.size());
  s->z.next_out = reinterpret_cast<Bytef*>(out.data());
  s->z.avail_out = static_cast<uInt>(out.size());
  bool done = deflate(&s->z, Z_FINISH) == Z_STREAM_END;
  out.resize(s->z.total_out);
  put_back(std::move(s));
  return done ? std::optional{std::move(out)} : std::nullopt;
}

} // namespace mistify::http
