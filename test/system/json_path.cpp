#include "json_path.hpp"

#include "rpc/base/json.hpp"

namespace mistify::test {

namespace {

using rpc::json::document;
using rpc::json::node;

constexpr std::string_view absent = "(absent)";

const node* step(const node& from, std::string_view name) {
  if (from.type() == node::kind::object)
    return from.find(name);
  if (from.type() != node::kind::array)
    return nullptr;
  const auto items = from.items("array");
  const auto index = std::stoul(std::string{name});
  return index < items.size() ? &items[index].get() : nullptr;
}

const node* walk(const node& root, std::string_view path) {
  const auto* here = &root;
  while (here && !path.empty()) {
    const auto end = path.find('/');
    here = step(*here, path.substr(0, end));
    path = end == std::string_view::npos ? "" : path.substr(end + 1);
  }
  return here;
}

} // namespace

std::string at(std::string_view text, std::string_view path) {
  const auto parsed = document::parse(text);
  const auto* found = walk(parsed.root(), path);
  return found ? found->text() : std::string{absent};
}

std::string text_at(std::string_view text, std::string_view path) {
  const auto parsed = document::parse(text);
  const auto* found = walk(parsed.root(), path);
  return found ? found->as_string(path) : std::string{absent};
}

std::vector<std::string> elements(std::string_view text, std::string_view path) {
  const auto parsed = document::parse(text);
  std::vector<std::string> result;
  if (const auto* found = walk(parsed.root(), path))
    for (const node& item : found->items(path))
      result.push_back(item.text());
  return result;
}

std::size_t count(std::string_view text, std::string_view path) {
  return elements(text, path).size();
}

std::string json_string(std::string_view text) {
  rpc::json::writer out;
  out.value(text);
  return std::move(out).str();
}

} // namespace mistify::test
