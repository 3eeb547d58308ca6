#include "rpc/agents/container/shell_words.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <optional>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

std::vector<std::string> read_array(std::string_view text) {
  std::vector<std::string> words;
  try {
    const auto document = rpc::json::document::parse(text);
    for (const auto& word : document.root().items("command")) {
      if (word.get().type() != rpc::json::node::kind::string)
        throw std::invalid_argument{"must be an array of strings"};
      words.push_back(word.get().as_string("command"));
    }
  } catch (const rpc::failure& e) {
    throw std::invalid_argument{"is no JSON array: " + e.message()};
  }
  return words;
}

/// Reads words one after the other.
class word_reader {
public:
  explicit word_reader(std::string_view text) : rest_{text} {}

  std::vector<std::string> read() {
    while (!rest_.empty())
      step();
    finish_word();
    return std::move(words_);
  }

private:
  char next() {
    if (rest_.empty())
      throw std::invalid_argument{"has an open quote or ends in a backslash"};
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void step() {
    const char c = next();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
      return finish_word();
    if (!word_)
      word_.emplace();
    if (c == '\'')
      take_single();
    else if (c == '"')
      take_double();
    else
      *word_ += c == '\\' ? next() : c;
  }

  void take_single() {
    for (char c = next(); c != '\''; c = next())
      *word_ += c;
  }

  /// Within double quotes a backslash is for a few characters only.
  void take_double() {
    constexpr std::string_view special = "\\\"$`";
    for (char c = next(); c != '"'; c = next()) {
      if (c == '\\') {
        c = next();
        if (special.find(c) == special.npos)
          *word_ += '\\';
      }
      *word_ += c;
    }
  }

  void finish_word() {
    if (word_)
      words_.push_back(std::move(*word_));
    word_.reset();
  }

  std::string_view rest_;
  std::optional<std::string> word_;
  std::vector<std::string> words_;
};

} // namespace

std::vector<std::string> split_command(std::string_view text) {
  auto words = text.starts_with('[') ? read_array(text) : word_reader{text}.read();
  for (const auto& word : words)
    if (word.find('\0') != word.npos)
      throw std::invalid_argument{"has a NUL"};
  return words;
}

} // namespace mistify::agents::container
