#include "rpc/http1/request_reader.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace mistify::rpc::http1 {

namespace {

/// Status and text for a chunked body that breaks a rule.
refusal chunk_refusal(chunk_reader::fault why) {
  using fault = chunk_reader::fault;
  switch (why) {
  case fault::long_line: return {400, "a line of the chunked body is too long"};
  case fault::long_trailers: return {431, "a line of the chunked body is too long"};
  case fault::line_end: return {400, "a line of the chunked body does not end with CR LF"};
  case fault::long_size: return {400, "a chunk size is too long"};
  case fault::long_chunk: return {400, "a chunk is longer than its size"};
  case fault::trailer: return {400, "a trailer line is not NAME: VALUE"};
  case fault::size:
  case fault::none: break;
  }
  return {400, "a chunk does not begin with its size"};
}

} // namespace

request_reader::progress request_reader::advance() {
  while (step()) {
  }
  compact();
  if (stage_ == stage::complete)
    return progress::complete;
  if (stage_ == stage::refused)
    return progress::refused;
  if (expects_ && pos_ == in_.size() && body_.empty() && stage_ != stage::head) {
    expects_ = false;
    return progress::go_on;
  }
  return progress::more;
}

void request_reader::next() {
  stage_ = stage::head;
  forget_head();
  body_.clear();
  rest_ = 0;
  chunks_ = {};
  expects_ = false;
  scan_ = line_ = pos_;
}

/// Idle connections are many: none of them keeps the memory of a large head.
void request_reader::forget_head() {
  constexpr std::size_t most_text = 4096, most_fields = 64;
  head_.text = head_.method = head_.target = {};
  head_.http_1_0 = false;
  head_.fields.clear();
  head_text_.clear();
  if (head_text_.capacity() > most_text)
    std::string{}.swap(head_text_);
  if (head_.fields.capacity() > most_fields)
    std::vector<header_field>{}.swap(head_.fields);
}

bool request_reader::step() {
  switch (stage_) {
  case stage::head: return read_head();
  case stage::fixed: return read_fixed();
  case stage::chunks: return read_chunks();
  case stage::complete:
  case stage::refused: break;
  }
  return false;
}

bool request_reader::read_head() {
  for (;;) {
    auto end = in_.find('\n', scan_);
    auto seen = (end == in_.npos ? in_.size() : end + 1) - pos_;
    if (seen > limits_.max_head)
      return refuse(431, "the request line and headers are longer than " + std::to_string(limits_.max_head) + " bytes");
    if (end == in_.npos) {
      scan_ = in_.size();
      return false;
    }
    // A line feed alone ends a line for some readers and not for others.
    if (end == line_ || in_[end - 1] != '\r')
      return refuse(400, "a line of the head does not end with CR LF");
    bool blank = end - line_ == 1;
    scan_ = end + 1;
    if (blank && line_ > pos_)
      return end_head(end + 1);
    line_ = end + 1;
    if (blank) // an empty line before the request line means nothing, but may come (RFC 9112, 2.2)
      pos_ = line_;
  }
}

bool request_reader::end_head(std::size_t end) {
  head_text_.assign(in_, pos_, end - pos_);
  pos_ = end;
  return parse_head() && choose_body();
}

bool request_reader::parse_head() {
  head_.text = head_text_;
  std::string_view rest = head_text_;
  for (bool first = true;; first = false) {
    auto end = rest.find('\n');
    auto line = rest.substr(0, end - 1);
    rest.remove_prefix(end + 1);
    if (line.empty())
      return true;
    if (!(first ? parse_request_line(line) : parse_field(line)))
      return false;
  }
}

bool request_reader::parse_request_line(std::string_view line) {
  auto a = line.find(' ');
  auto b = a == line.npos ? a : line.find(' ', a + 1);
  if (b == line.npos || text::has_control(line) || line.find('\t') != line.npos)
    return refuse(400, "the request line is not METHOD TARGET VERSION");
  head_.method = line.substr(0, a);
  head_.target = line.substr(a + 1, b - a - 1);
  auto version = line.substr(b + 1);
  head_.http_1_0 = version == "HTTP/1.0";
  if (!text::is_token(head_.method) || head_.target.empty())
    return refuse(400, "the request line is not METHOD TARGET VERSION");
  if (!head_.http_1_0 && version != "HTTP/1.1")
    return refuse(400, "the version is neither HTTP/1.1 nor HTTP/1.0");
  return true;
}

bool request_reader::parse_field(std::string_view line) {
  auto colon = line.find(':');
  // This refuses folded lines and blanks before the colon too: they are no tokens.
  if (colon == line.npos || !text::is_token(line.substr(0, colon)))
    return refuse(400, "a header line is not NAME: VALUE");
  auto value = text::trim(line.substr(colon + 1));
  if (text::has_control(value))
    return refuse(400, "a header value holds a control character");
  head_.fields.push_back({line.substr(0, colon), value});
  return true;
}

bool request_reader::choose_body() {
  bool chunked = false;
  std::optional<std::uint64_t> length;
  for (const auto& f : head_.fields) {
    if (text::equal_ignoring_case(f.name, "content-length")) {
      if (length || !(length = text::parse_length(f.value)))
        return refuse(400, "Content-Length must be one whole number");
    } else if (text::equal_ignoring_case(f.name, "transfer-encoding")) {
      if (chunked || head_.http_1_0 || !text::equal_ignoring_case(f.value, "chunked"))
        return refuse(400, "the only Transfer-Encoding taken is chunked");
      chunked = true;
    } else if (!check_coding(f)) {
      return false;
    }
  }
  if (chunked && length)
    return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
  if (chunked || length.value_or(0) > 0)
    most_ = most_of_body();
  if (length.value_or(0) > most_)
    return refuse_length();
  rest_ = length.value_or(0);
  stage_ = chunked ? stage::chunks : rest_ > 0 ? stage::fixed : stage::complete;
  return true;
}

std::size_t request_reader::most_of_body() const {
  return limits_.by_request ? std::min(limits_.max_body, (*limits_.by_request)(head_)) : limits_.max_body;
}

bool request_reader::check_coding(const header_field& f) {
  if (text::equal_ignoring_case(f.name, "expect")) {
    if (!text::equal_ignoring_case(f.value, "100-continue"))
      return refuse(417, "the only expectation met is 100-continue");
    expects_ = !head_.http_1_0;
  } else if (text::equal_ignoring_case(f.name, "content-encoding")) {
    // Bodies that inflate without end are kept out by not inflating any.
    if (!f.value.empty() && !text::equal_ignoring_case(f.value, "identity"))
      return refuse(415, "request bodies are taken without Content-Encoding only");
  }
  return true;
}

bool request_reader::read_fixed() {
  auto n = std::min(rest_, in_.size() - pos_);
  body_.append(in_, pos_, n);
  pos_ += n;
  rest_ -= n;
  if (rest_ == 0)
    stage_ = stage::complete;
  return false;
}

bool request_reader::read_chunks() {
  const auto [used, content] = chunks_.take(std::string_view{in_}.substr(pos_));
  body_ += content;
  pos_ += used;
  if (chunks_.why() != chunk_reader::fault::none)
    return refuse_chunks();
  if (chunks_.left() > most_ - body_.size())
    return refuse_length();
  if (chunks_.done())
    stage_ = stage::complete;
  return used > 0;
}

bool request_reader::refuse_chunks() {
  auto why = chunk_refusal(chunks_.why());
  return refuse(why.status, std::move(why.message));
}

bool request_reader::refuse_length() {
  return refuse(413, "the body is longer than " + std::to_string(most_) + " bytes");
}

bool request_reader::refuse(int status, std::string message) {
  stage_ = stage::refused;
  why_ = {status, std::move(message)};
  return false;
}

void request_reader::compact() {
  // Moving the rest to the front for each of many small requests in one packet would be quadratic.
  if (pos_ < in_.size() && pos_ < in_.size() / 2)
    return;
  if (pos_ == in_.size() && in_.capacity() > 4096)
    std::string{}.swap(in_); // idle connections are many
  else
    in_.erase(0, pos_);
  scan_ -= std::min(scan_, pos_);
  line_ -= std::min(line_, pos_);
  pos_ = 0;
}

} // namespace mistify::rpc::http1
