#include "rpc/http1/request_reader.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <optional>

namespace mistify::rpc::http1 {

namespace {

constexpr std::size_t max_chunk_line = 1024; // size and extensions; nobody sends extensions
constexpr std::size_t max_trailers = 8 * 1024;

/// Digits only: no sign, no list, no blanks. At most 18 of them, so that nothing overflows.
std::optional<std::size_t> parse_length(std::string_view s) {
  if (s.empty() || s.size() > 18 || !std::all_of(s.begin(), s.end(), text::is_digit))
    return std::nullopt;
  std::size_t n = 0;
  for (char c : s)
    n = n * 10 + static_cast<std::size_t>(c - '0');
  return n;
}

bool has_control(std::string_view s) {
  return std::any_of(s.begin(), s.end(), [](char c) { return text::is_control(c) && c != '\t'; });
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
  head_.text = head_.method = head_.target = {};
  head_.http_1_0 = false;
  head_.fields.clear();
  head_text_.clear();
  body_.clear();
  rest_ = trailer_bytes_ = 0;
  expects_ = false;
  scan_ = line_ = pos_;
}

bool request_reader::step() {
  switch (stage_) {
  case stage::head: return read_head();
  case stage::fixed: return read_fixed();
  case stage::chunk_size: return read_chunk_size();
  case stage::chunk_data: return read_chunk_data();
  case stage::chunk_end: return read_chunk_end();
  case stage::trailers: return read_trailers();
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
  if (b == line.npos || has_control(line) || line.find('\t') != line.npos)
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
  if (has_control(value))
    return refuse(400, "a header value holds a control character");
  head_.fields.push_back({line.substr(0, colon), value});
  return true;
}

bool request_reader::choose_body() {
  bool chunked = false;
  std::optional<std::size_t> length;
  for (const auto& f : head_.fields) {
    if (text::equal_ignoring_case(f.name, "content-length")) {
      if (length || !(length = parse_length(f.value)))
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
  if (length.value_or(0) > limits_.max_body)
    return refuse(413, "the body is longer than " + std::to_string(limits_.max_body) + " bytes");
  rest_ = length.value_or(0);
  stage_ = chunked ? stage::chunk_size : rest_ > 0 ? stage::fixed : stage::complete;
  return true;
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

void request_reader::take_into_body() {
  auto n = std::min(rest_, in_.size() - pos_);
  body_.append(in_, pos_, n);
  pos_ += n;
  rest_ -= n;
}

bool request_reader::read_fixed() {
  take_into_body();
  if (rest_ == 0)
    stage_ = stage::complete;
  return false;
}

bool request_reader::read_chunk_size() {
  std::string_view line;
  return take_line(max_chunk_line, 400, line) == line_result::found && parse_chunk_size(line);
}

bool request_reader::parse_chunk_size(std::string_view line) {
  std::size_t digits = 0, size = 0;
  for (; digits < line.size() && text::hex_value(line[digits]) >= 0; ++digits) {
    if (digits == 15)
      return refuse(400, "a chunk size is too long");
    size = size * 16 + static_cast<std::size_t>(text::hex_value(line[digits]));
  }
  auto extension = text::trim(line.substr(digits));
  if (digits == 0 || has_control(line) || (!extension.empty() && extension.front() != ';'))
    return refuse(400, "a chunk does not begin with its size");
  if (size > limits_.max_body - body_.size())
    return refuse(413, "the body is longer than " + std::to_string(limits_.max_body) + " bytes");
  rest_ = size;
  stage_ = size == 0 ? stage::trailers : stage::chunk_data;
  return true;
}

bool request_reader::read_chunk_data() {
  take_into_body();
  if (rest_ > 0)
    return false;
  stage_ = stage::chunk_end;
  return true;
}

bool request_reader::read_chunk_end() {
  auto here = std::string_view{in_}.substr(pos_, 2);
  if (here != std::string_view{"\r\n"}.substr(0, here.size()))
    return refuse(400, "a chunk is longer than its size");
  if (here.size() < 2)
    return false;
  pos_ += 2;
  stage_ = stage::chunk_size;
  return true;
}

bool request_reader::read_trailers() {
  std::string_view line;
  if (take_line(max_trailers - trailer_bytes_, 431, line) != line_result::found)
    return false;
  trailer_bytes_ = std::min(max_trailers, trailer_bytes_ + line.size() + 2);
  if (line.empty())
    stage_ = stage::complete;
  else if (line.find(':') == line.npos || has_control(line))
    return refuse(400, "a trailer line is not NAME: VALUE");
  return true;
}

request_reader::line_result request_reader::take_line(std::size_t max, int status_if_longer, std::string_view& line) {
  auto end = in_.find('\n', pos_);
  auto seen = (end == in_.npos ? in_.size() : end + 1) - pos_;
  if (seen > max) {
    refuse(status_if_longer, "a line of the chunked body is too long");
    return line_result::refused;
  }
  if (end == in_.npos)
    return line_result::missing;
  if (end == pos_ || in_[end - 1] != '\r') {
    refuse(400, "a line of the chunked body does not end with CR LF");
    return line_result::refused;
  }
  line = std::string_view{in_}.substr(pos_, end - 1 - pos_);
  pos_ = end + 1;
  return line_result::found;
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
