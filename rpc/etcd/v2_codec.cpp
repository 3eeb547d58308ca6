#include "rpc/etcd/v2_codec.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/etcd/reason.hpp"

#include <cstddef>

namespace mistify::rpc::etcd::v2 {

namespace {

using json::node;

[[noreturn]] void refuse(const std::string& why) {
  throw failure{errc::sub_agent_failed, "etcd's answer is not understood: " + why};
}

bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

std::int64_t number_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  return value ? value->as_int(member) : 0;
}

std::string text_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  return value ? value->as_string(member) : std::string{};
}

bool is_folder(const node& in) {
  const auto* value = in.find("dir");
  return value && value->as_bool("dir");
}

entry entry_of(const node& in) {
  return {text_of(in, "key"), text_of(in, "value"), number_of(in, "modifiedIndex"), number_of(in, "ttl")};
}

/// Without recursion on what etcd sent; the JSON reader bounds the depth.
void collect(const node& root, std::vector<entry>& to) {
  std::vector<const node*> open{&root};
  while (!open.empty()) {
    const auto* at = open.back();
    open.pop_back();
    if (!is_folder(*at)) {
      to.push_back(entry_of(*at));
      continue;
    }
    if (const auto* nodes = at->find("nodes"))
      for (const node& one : nodes->items("nodes"))
        open.push_back(&one);
  }
}

template <class F>
auto reading(std::string_view body, F f) {
  try {
    const auto document = json::document::parse(body);
    return f(document.root());
  } catch (const failure& e) {
    if (e.code() == errc::sub_agent_failed)
      throw;
    refuse(e.message());
  }
}

} // namespace

std::string escape(std::string_view text, bool is_path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_plain(c) || (is_path && c == '/')) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::vector<entry> read_entries(std::string_view body) {
  return reading(body, [](const node& root) {
    std::vector<entry> out;
    const auto* top = root.find("node");
    if (!top)
      refuse("no node");
    collect(*top, out);
    return out;
  });
}

change_event read_event(std::string_view body) {
  return reading(body, [](const node& root) {
    const auto* changed = root.find("node");
    if (!changed)
      refuse("no node");
    const auto action = text_of(root, "action");
    const bool removed = action == "delete" || action == "expire" || action == "compareAndDelete";
    return change_event{{entry_of(*changed), removed}, is_folder(*changed)};
  });
}

error read_error(std::string_view body) {
  try {
    const auto document = json::document::parse(body);
    const auto& root = document.root();
    return {number_of(root, "errorCode"), cut_reason(text_of(root, "message"))};
  } catch (const failure&) { // not etcd's own
    return {0, cut_reason(body)};
  }
}

} // namespace mistify::rpc::etcd::v2
