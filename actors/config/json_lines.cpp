#include "actors/config/json_lines.hpp"

#include "actors/config/field_readers.hpp"

#include <algorithm>
#include <vector>

namespace mistify::actors {

namespace {

/// One object or array that is open.
struct level {
  bool list = false;
  std::size_t index = 0; ///< of the element of a list
  std::size_t path = 0;  ///< the length of the path around it
};

/// Walks through a JSON text without recursion.
class walker {
public:
  walker(std::string_view text, std::map<std::string, std::size_t, std::less<>>& lines) : text_{text}, lines_{lines} {}

  void walk() {
    for (; at_ < text_.size(); ++at_) {
      switch (text_[at_]) {
      case '\n': ++line_; break;
      case '"': take_string(); break;
      case '{': open(false); break;
      case '[': open(true); break;
      case '}':
      case ']': close(); break;
      case ',': next(); break;
      default: break;
      }
    }
  }

private:
  /// A key where one may stand; its escapes stay as they are.
  void take_string() {
    const auto begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"')
      at_ += text_[at_] == '\\' ? 2 : 1;
    if (levels_.empty() || levels_.back().list || !key_next_)
      return;
    key_next_ = false;
    const auto name = text_.substr(begin, at_ - begin);
    set_name(std::string{levels_.size() == 1 ? original_key(original_part::config, name) : name});
  }

  void open(bool list) {
    levels_.push_back({list, 0, path_.size()});
    key_next_ = !list;
    if (list)
      set_name("0");
  }

  void close() {
    if (levels_.empty())
      return;
    path_.resize(levels_.back().path);
    levels_.pop_back();
    key_next_ = false;
  }

  void next() {
    if (levels_.empty())
      return;
    auto& now = levels_.back();
    path_.resize(now.path);
    key_next_ = !now.list;
    if (now.list)
      set_name(std::to_string(++now.index), true);
  }

  /// The element behind a comma may stand on a later line.
  void set_name(const std::string& name, bool behind = false) {
    path_.resize(levels_.back().path);
    path_.append(path_.empty() ? "" : "/").append(name);
    auto line = line_;
    if (behind || levels_.back().list)
      for (auto i = at_ + 1;
           i < text_.size() && (text_[i] == ' ' || text_[i] == '\n' || text_[i] == '\t' || text_[i] == '\r'); ++i)
        line += text_[i] == '\n' ? 1 : 0;
    lines_.insert_or_assign(path_, line);
  }

  std::string_view text_;
  std::map<std::string, std::size_t, std::less<>>& lines_;
  std::size_t at_ = 0, line_ = 1;
  std::vector<level> levels_;
  std::string path_;
  bool key_next_ = false;
};

} // namespace

json_lines::json_lines(std::string_view text) {
  walker{text, lines_}.walk();
}

std::size_t json_lines::of(std::string_view path) const {
  for (;;) {
    if (const auto found = lines_.find(path); found != lines_.end())
      return found->second;
    const auto end = path.rfind('/');
    if (end == path.npos)
      return 1;
    path = path.substr(0, end);
  }
}

std::size_t line_at(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, std::min(byte, text.size()));
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

} // namespace mistify::actors
