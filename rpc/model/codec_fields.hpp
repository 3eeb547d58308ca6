#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

/// Private to the codec. A table describes each type once, with its members in wire order; reading and writing both
/// use it.
namespace mistify::rpc::wire {

/// A member of `T` and its name on the wire.
template <class T, class M>
struct field {
  std::string_view name;
  M T::*member;
  bool always; ///< written even if empty or zero
};

template <class T, class M>
constexpr field<T, M> always(std::string_view name, M T::*member) {
  return {name, member, true};
}

template <class T, class M>
constexpr field<T, M> if_set(std::string_view name, M T::*member) {
  return {name, member, false};
}

/// Specialised for every type on the wire: `static constexpr auto all = std::tuple{always(…), …};`
template <class T>
struct fields;

/// "nics[0]" + "vlans" = "nics[0].vlans"; the root has no name.
inline std::string join(std::string_view path, std::string_view name) {
  return path.empty() ? std::string{name} : std::string{path}.append(".").append(name);
}

inline std::string join(std::string_view path, std::size_t index) {
  return std::string{path}.append("[").append(std::to_string(index)).append("]");
}

// -- reading: one overload for each type of member; `path` is what errors call the node -----------------------------

inline void read(const json::node& node, std::string_view path, std::string& to) {
  to = node.as_string(path);
}
inline void read(const json::node& node, std::string_view path, bool& to) {
  to = node.as_bool(path);
}
inline void read(const json::node& node, std::string_view path, std::uint64_t& to) {
  to = node.as_uint(path);
}
inline void read(const json::node& node, std::string_view path, std::int64_t& to) {
  to = node.as_int(path);
}
inline void read(const json::node& node, std::string_view path, double& to) {
  to = node.as_double(path);
}
void read(const json::node& node, std::string_view path, metadata_map& to);

template <class T>
void read(const json::node& node, std::string_view path, std::vector<T>& to);

template <class T>
void read(const json::node& node, std::string_view path, std::map<std::string, T>& to);

template <class T>
void read(const json::node& node, std::string_view path, std::optional<T>& to) {
  to.reset();
  if (!node.is_null())
    read(node, path, to.emplace());
}

/// Reads any type that has a table. Of duplicate members the last one wins.
template <class T>
requires requires {
  fields<T>::all;
}
void read(const json::node& node, std::string_view path, T& to) {
  for (const auto& [key, value] : node.members(path.empty() ? "body" : path)) {
    const auto take = [&, k = key, v = std::cref(value)](const auto& f) {
      if (f.name != k)
        return false;
      if (path.empty())
        read(v.get(), f.name, to.*f.member); // names of root members need no copy
      else
        read(v.get(), join(path, f.name), to.*f.member);
      return true;
    };
    const bool known = std::apply([&](const auto&... f) { return (take(f) || ...); }, fields<T>::all);
    if constexpr (requires { to.extra; })
      if (!known)
        to.extra.insert_or_assign(std::string{key}, value.text());
  }
}

template <class T>
void read(const json::node& node, std::string_view path, std::vector<T>& to) {
  const auto items = node.items(path);
  to.clear();
  to.reserve(items.size());
  for (const json::node& item : items) {
    const auto name = join(path, to.size()); // before the element is added
    read(item, name, to.emplace_back());
  }
}

template <class T>
void read(const json::node& node, std::string_view path, std::map<std::string, T>& to) {
  to.clear();
  for (const auto& [key, value] : node.members(path)) {
    auto& one = to[std::string{key}] = T{}; // of duplicates the last one wins
    read(value, join(path, key), one);
  }
}

/// Errors name the root "body", and its members by their names.
template <class T>
T decode(const json::node& node, std::string_view path = {}) {
  T result;
  read(node, path, result);
  return result;
}

template <class T>
T decode(std::string_view text) {
  return decode<T>(json::document::parse(text).root());
}

// -- writing --------------------------------------------------------------------------------------------------------

inline bool is_empty(const std::string& value) {
  return value.empty();
}
inline bool is_empty(const metadata_map& value) {
  return value.empty();
}
template <class T>
bool is_empty(const std::vector<T>& value) {
  return value.empty();
}
template <class T>
bool is_empty(const std::map<std::string, T>& value) {
  return value.empty();
}
template <class T>
bool is_empty(const std::optional<T>& value) {
  return !value.has_value();
}
template <class T>
requires std::is_arithmetic_v<T>
bool is_empty(T value) {
  return value == T{};
}

/// Objects are written also if all of their members are empty.
template <class T>
requires requires {
  fields<T>::all;
}
bool is_empty(const T&) {
  return false;
}

template <class T>
requires requires(json::writer& w, const T& v) {
  w.value(v);
}
void write(json::writer& out, const T& value) {
  out.value(value);
}

void write(json::writer& out, const metadata_map& value);

template <class T>
void write(json::writer& out, const std::vector<T>& value);

template <class T>
void write(json::writer& out, const std::map<std::string, T>& value);

template <class T>
void write(json::writer& out, const std::optional<T>& value) {
  if (value)
    write(out, *value);
  else
    out.null();
}

/// Writes any type that has a table: its members in the order of the table, then unknown members.
template <class T>
requires requires {
  fields<T>::all;
}
void write(json::writer& out, const T& value) {
  out.begin_object();
  const auto put = [&](const auto& f) {
    if (f.always || !is_empty(value.*f.member))
      write(out.key(f.name), value.*f.member);
  };
  std::apply([&](const auto&... f) { (put(f), ...); }, fields<T>::all);
  if constexpr (requires { value.extra; })
    for (const auto& [key, text] : value.extra)
      out.key(key).raw(text);
  out.end_object();
}

template <class T>
void write(json::writer& out, const std::vector<T>& value) {
  out.begin_array();
  for (const auto& item : value)
    write(out, item);
  out.end_array();
}

template <class T>
void write(json::writer& out, const std::map<std::string, T>& value) {
  out.begin_object();
  for (const auto& [name, item] : value)
    write(out.key(name), item);
  out.end_object();
}

template <class T>
std::string encode(const T& value) {
  json::writer out;
  write(out, value);
  return std::move(out).str();
}

/// Reads a guest inside a larger object: errors name "guest.memory".
guest decode_guest(const json::node& node, std::string_view path);

} // namespace mistify::rpc::wire
