#include "rpc/http1/chunk_reader.hpp"

#include "rpc/http1/grammar.hpp"

#include <algorithm>

namespace mistify::rpc::http1 {

namespace {

constexpr std::size_t max_size_line = 1024; // size and extensions; nobody sends extensions
constexpr std::size_t max_trailers = 8 * 1024;
constexpr std::size_t max_size_digits = 15; // a 64-bit number holds them
constexpr std::string_view line_end = "\r\n";

} // namespace

chunk_reader::piece chunk_reader::take(std::string_view bytes) {
  if (bytes.empty())
    return {};
  switch (stage_) {
  case stage::size:
  case stage::trailers: return take_line(bytes);
  case stage::data: return take_data(bytes);
  case stage::data_end: return take_data_end(bytes);
  case stage::done:
  case stage::broken: break;
  }
  return {};
}

chunk_reader::piece chunk_reader::take_data(std::string_view bytes) {
  const auto content = bytes.substr(0, left_);
  left_ -= content.size();
  if (left_ == 0)
    stage_ = stage::data_end;
  return {content.size(), content};
}

chunk_reader::piece chunk_reader::take_data_end(std::string_view bytes) {
  const auto missing = line_end.substr(line_.size());
  const auto here = bytes.substr(0, missing.size());
  if (here != missing.substr(0, here.size())) {
    fail(fault::long_chunk);
    return {};
  }
  line_ += here;
  if (line_.size() == line_end.size()) {
    line_.clear();
    stage_ = stage::size;
  }
  return {here.size()};
}

std::size_t chunk_reader::room_for_line() const noexcept {
  return stage_ == stage::size ? max_size_line : max_trailers - trailer_bytes_;
}

chunk_reader::piece chunk_reader::take_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  const auto here = bytes.substr(0, end == bytes.npos ? end : end + 1);
  if (here.size() > room_for_line() - line_.size()) {
    fail(stage_ == stage::size ? fault::long_line : fault::long_trailers);
    return {};
  }
  line_ += here;
  if (end != bytes.npos)
    end_line();
  return {here.size()};
}

void chunk_reader::end_line() {
  if (!std::string_view{line_}.ends_with(line_end))
    return fail(fault::line_end);
  line_.resize(line_.size() - line_end.size());
  if (stage_ == stage::size)
    read_size();
  else
    read_trailer();
  line_.clear();
}

void chunk_reader::read_size() {
  std::size_t digits = 0, size = 0;
  for (; digits < line_.size() && text::hex_value(line_[digits]) >= 0; ++digits) {
    if (digits == max_size_digits)
      return fail(fault::long_size);
    size = size * 16 + static_cast<std::size_t>(text::hex_value(line_[digits]));
  }
  const auto extension = text::trim(std::string_view{line_}.substr(digits));
  if (digits == 0 || text::has_control(line_) || (!extension.empty() && extension.front() != ';'))
    return fail(fault::size);
  left_ = size;
  stage_ = size == 0 ? stage::trailers : stage::data;
}

void chunk_reader::read_trailer() {
  trailer_bytes_ = std::min(max_trailers, trailer_bytes_ + line_.size() + line_end.size());
  if (line_.empty())
    stage_ = stage::done;
  else if (line_.find(':') == line_.npos || text::has_control(line_))
    fail(fault::trailer);
}

void chunk_reader::fail(fault why) noexcept {
  stage_ = stage::broken;
  fault_ = why;
}

} // namespace mistify::rpc::http1
