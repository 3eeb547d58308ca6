#include "rpc/base/error.hpp"
#include "rpc/base/json_data.hpp"
#include "rpc/base/utf8.hpp"

#include <algorithm>
#include <cctype>
#include <memory_resource>
#include <span>
#include <stdexcept>

// A failed assertion of the parser throws instead of ending the process.
#define RAPIDJSON_ASSERT(x)                                                                                            \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      throw std::logic_error{"RapidJSON: " #x};                                                                        \
  } while (false)
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <rapidjson/stream.h>

// Documents: the tree, and the parser that builds it.
namespace mistify::rpc::json {

namespace {

using data = node::data;
using kind = node::kind;

constexpr std::size_t max_text = (1u << 29) - 1; // the largest `data::size`

/// The text that is parsed, as a copy in the arena: the parser decodes strings where they stand, and the nodes point to them.
struct parsed_text {
  std::span<char> bytes;        // with a NUL behind them
  const char* numbers;          // the same text, but for its numbers, which are those of the caller
  bool has_escapes, valid_utf8; // of `bytes`
};

/// Builds the tree from the parser's events. Children stay on `stack_` until their container ends; then they move to
/// one block of the arena and are not moved again.
class builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, builder> {
public:
  builder(std::pmr::memory_resource& arena, const parsed_text& text) : arena_{arena}, text_{text} {
    stack_.reserve(32);
  }

  bool Null() { return scalar(kind::null, nullptr, 0); }
  bool Bool(bool b) { return scalar(kind::boolean, nullptr, b ? 1 : 0); }

  bool RawNumber(const char* s, rapidjson::SizeType size, bool) {
    return scalar(kind::number, text_.numbers + (s - text_.bytes.data()), size);
  }

  bool String(const char* s, rapidjson::SizeType size, bool) {
    return is_text({s, size}) && scalar(kind::string, s, size);
  }

  bool Key(const char* s, rapidjson::SizeType size, bool) {
    if (!is_text({s, size}))
      return false;
    auto& member = stack_.emplace_back();
    member.key_data = s;
    member.key_size = size;
    keyed_ = true;
    return true;
  }

  bool StartObject() { return open(kind::object); }
  bool StartArray() { return open(kind::array); }
  bool EndObject(rapidjson::SizeType count) { return close(count); }
  bool EndArray(rapidjson::SizeType count) { return close(count); }

  /// True if the parser was stopped because of nesting; otherwise it was a lone surrogate.
  bool too_deep() const noexcept { return too_deep_; }

  const data& root() const { return stack_.front(); }

private:
  /// Returns the node for the next value: the one that has its key already, or a new one.
  data& place() { return std::exchange(keyed_, false) ? stack_.back() : stack_.emplace_back(); }

  bool scalar(kind k, const char* content, std::uint32_t size) {
    auto& n = place();
    n.tag = static_cast<std::uint32_t>(k) & 7u;
    n.content = content;
    n.size = size & max_text;
    return true;
  }

  bool open(kind k) {
    too_deep_ = depth_ == max_depth;
    ++depth_;
    return !too_deep_ && scalar(k, nullptr, 0);
  }

  bool close(rapidjson::SizeType count) {
    --depth_;
    const auto first = stack_.end() - count;
    auto* children = static_cast<data*>(arena_.allocate(count * sizeof(data), alignof(data)));
    std::uninitialized_copy(first, stack_.end(), children);
    stack_.erase(first, stack_.end());
    stack_.back().content = children;
    stack_.back().size = count & max_text;
    return true;
  }

  /// RapidJSON 1.1.0 decodes a lone "\udc00" to bytes that are not UTF-8.
  bool is_text(std::string_view s) const {
    if (!text_.has_escapes)
      return true;
    for (auto at = s.find('\xed'); at != std::string_view::npos; at = s.find('\xed', at + 1))
      if (static_cast<unsigned char>(s[at + 1]) >= 0xa0) // the byte exists: the text is valid UTF-8 otherwise
        return false;
    return true;
  }

  std::pmr::memory_resource& arena_;
  const parsed_text& text_;
  std::vector<data> stack_;
  unsigned depth_ = 0;
  bool keyed_ = false; // the last node on the stack has a key but no value yet
  bool too_deep_ = false;
};

std::size_t count_digits(std::string_view s) {
  return std::min(s.find_first_not_of("0123456789"), s.size());
}

bool is_number(std::string_view s) {
  s.remove_prefix(s.starts_with('-') ? 1 : 0);
  const auto whole = count_digits(s);
  if (whole == 0 || (whole > 1 && s.front() == '0'))
    return false;
  s.remove_prefix(whole);
  if (s.starts_with('.')) {
    const auto fraction = count_digits(s.substr(1));
    if (fraction == 0)
      return false;
    s.remove_prefix(1 + fraction);
  }
  if (s.starts_with('e') || s.starts_with('E')) {
    s.remove_prefix(1);
    s.remove_prefix(s.starts_with('+') || s.starts_with('-') ? 1 : 0);
    return !s.empty() && count_digits(s) == s.size();
  }
  return s.empty();
}

/// Returns the position after the closing quote of the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\')
      ++at;
  return at + 1;
}

/// Replaces every number by a small one of the same length. RapidJSON refuses numbers beyond the range of double even
/// if only their text is needed; unknown fields may contain such numbers.
std::string tame_numbers(std::string text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      const auto end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
      if (end - at > 2 && is_number({text.data() + at, end - at})) {
        std::fill(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end), '0');
        text[at + 1] = '.';
      }
      at = end;
    } else {
      ++at;
    }
  }
  return text;
}

failure syntax_error(std::size_t offset, std::string reason) {
  if (reason.ends_with('.'))
    reason.pop_back();
  if (reason.size() > 1 && std::islower(static_cast<unsigned char>(reason[1]))) // no abbreviation
    reason.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(reason.front())));
  return {errc::invalid_request, "invalid JSON at byte " + std::to_string(offset) + ": " + reason};
}

/// Describes why the parser stopped. `read` is the offset in bytes.
failure parse_error(const rapidjson::ParseResult& result, std::size_t read, std::size_t size, const builder& build) {
  if (build.too_deep())
    return {errc::invalid_request, "nested too deeply at byte " + std::to_string(result.Offset())};
  if (result.Code() == rapidjson::kParseErrorTermination)
    return syntax_error(result.Offset(), "lone surrogate in string");
  if (result.Code() != rapidjson::kParseErrorDocumentEmpty)
    return syntax_error(result.Offset(), rapidjson::GetParseError_En(result.Code()));
  if (read < size) // RapidJSON reports "]" as empty, too
    return syntax_error(read, "a value is expected");
  return {errc::invalid_request, "empty body: JSON expected at byte 0"};
}

enum class big_numbers : bool { retry, refuse };

std::span<char> copy_into(std::pmr::memory_resource& arena, std::string_view text) {
  auto* copy = static_cast<char*>(arena.allocate(text.size() + 1, 1));
  text.copy(copy, text.size());
  copy[text.size()] = '\0';
  return {copy, text.size()};
}

/// RapidJSON's own check of each character takes longer than all else that it does. It is left to find the place of what
/// is wrong.
rapidjson::ParseResult read(rapidjson::InsituStringStream& in, builder& build, bool valid_utf8) {
  constexpr unsigned flags =
    rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::Reader reader;
  return valid_utf8 ? reader.Parse<flags>(in, build)
                    : reader.Parse<flags | rapidjson::kParseValidateEncodingFlag>(in, build);
}

/// Parses `tamed`, which differs from `text` only in its numbers. Returns the root; null if a number is too large for
/// the parser and the caller can retry.
const data* parse_into(std::pmr::memory_resource& arena, std::string_view text, std::string_view tamed,
                       big_numbers policy) {
  const auto bytes = copy_into(arena, tamed);
  const parsed_text parsed{bytes, text.data() == tamed.data() ? bytes.data() : copy_into(arena, text).data(),
                           text.find('\\') != std::string_view::npos, is_utf8(text)};
  rapidjson::InsituStringStream in{bytes.data()};
  builder build{arena, parsed};
  const auto result = read(in, build, parsed.valid_utf8);
  if (result.Code() == rapidjson::kParseErrorNumberTooBig && policy == big_numbers::retry)
    return nullptr;
  if (result.IsError())
    throw parse_error(result, in.Tell(), tamed.size(), build);
  if (in.Tell() < tamed.size())
    throw syntax_error(in.Tell(), "NUL byte"); // the parser takes it for the end
  return new (arena.allocate(sizeof(data), alignof(data))) data{build.root()};
}

} // namespace

struct document::impl {
  // Small bodies fit into the first block.
  explicit impl(std::size_t text_size) : arena{std::min<std::size_t>(4 * text_size + 256, 64 * 1024)} {}

  std::pmr::monotonic_buffer_resource arena;
  std::vector<document> parts; // whose nodes are children of this one's
};

document::document() noexcept {
  static const data null;
  root_ = &null;
}

document document::parse(std::string_view text) {
  if (text.size() > max_text)
    throw failure{errc::too_large, "JSON text is over 512 MB"};
  const auto result = std::make_shared<impl>(text.size());
  const auto* root = parse_into(result->arena, text, text, big_numbers::retry);
  if (root == nullptr) {
    result->arena.release();
    root = parse_into(result->arena, text, tame_numbers(std::string{text}), big_numbers::refuse);
  }
  return {result, *root};
}

document document::list(std::vector<document> items) {
  const auto result = std::make_shared<impl>(items.size() * sizeof(data));
  auto* children = static_cast<data*>(result->arena.allocate(items.size() * sizeof(data), alignof(data)));
  auto* next = children;
  for (const auto& item : items)
    std::construct_at(next++, data::of(item.root()))->key_size = 0;
  auto* root = new (result->arena.allocate(sizeof(data), alignof(data))) data;
  root->tag = static_cast<std::uint32_t>(kind::array) & 7u;
  root->content = children;
  root->size = items.size() & max_text;
  result->parts = std::move(items);
  return {result, *root};
}

} // namespace mistify::rpc::json
