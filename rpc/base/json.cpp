#include "rpc/base/json.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json_data.hpp"

#include <charconv>
#include <cmath>

namespace mistify::rpc::json {

namespace {

using data = node::data;
using kind = node::kind;

[[noreturn]] void refuse(std::string_view field, std::string_view what,
                         std::source_location where = std::source_location::current()) {
  throw failure{errc::invalid_request, std::string{field}.append(": ").append(what), where};
}

template <class T>
T whole_number(const data& n, std::string_view field, std::string_view expected) {
  T value = 0;
  if (n.is_null())
    return value;
  if (n.type() != kind::number)
    refuse(field, expected);
  const auto s = n.characters();
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (end != s.data() + s.size() || error == std::errc::invalid_argument)
    refuse(field, expected);
  if (error != std::errc{})
    refuse(field, "does not fit into 64 bits");
  return value;
}

void write(writer& out, const data& n) {
  switch (n.type()) {
  case kind::null: out.null(); break;
  case kind::boolean: out.value(n.size == 1); break;
  case kind::number: out.raw(n.characters()); break;
  case kind::string: out.value(n.characters()); break;
  case kind::array:
    out.begin_array();
    for (const auto& child : n)
      write(out, child);
    out.end_array();
    break;
  case kind::object:
    out.begin_object();
    for (const auto& child : n)
      write(out.key(child.key()), child);
    out.end_object();
    break;
  }
}

} // namespace

kind node::type() const noexcept {
  return static_cast<kind>(data::of(*this).tag);
}

bool node::as_bool(std::string_view field) const {
  if (!is_null() && type() != kind::boolean)
    refuse(field, "must be true or false");
  return data::of(*this).size == 1;
}

std::string node::as_string(std::string_view field) const {
  if (!is_null() && type() != kind::string)
    refuse(field, "must be a string");
  return std::string{data::of(*this).characters()};
}

std::uint64_t node::as_uint(std::string_view field) const {
  return whole_number<std::uint64_t>(data::of(*this), field, "must be a non-negative whole number");
}

std::int64_t node::as_int(std::string_view field) const {
  return whole_number<std::int64_t>(data::of(*this), field, "must be a whole number");
}

double node::as_double(std::string_view field) const {
  if (is_null())
    return 0;
  if (type() != kind::number)
    refuse(field, "must be a number");
  const auto s = data::of(*this).characters();
  double value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc{} || !std::isfinite(value))
    refuse(field, "is out of the range of numbers");
  return value;
}

std::vector<std::reference_wrapper<const node>> node::items(std::string_view field) const {
  if (!is_null() && type() != kind::array)
    refuse(field, "must be an array");
  const auto& children = data::of(*this);
  return {children.begin(), children.end()};
}

std::vector<member> node::members(std::string_view field) const {
  if (!is_null() && type() != kind::object)
    refuse(field, "must be an object");
  const auto& children = data::of(*this);
  std::vector<member> result;
  result.reserve(children.size);
  for (const auto& child : children)
    result.push_back({child.key(), child});
  return result;
}

const node* node::find(std::string_view key) const noexcept {
  if (type() != kind::object)
    return nullptr;
  const auto& children = data::of(*this);
  for (const auto* child = children.end(); child != children.begin();)
    if ((--child)->key() == key)
      return child;
  return nullptr;
}

std::string node::text() const {
  writer out;
  write(out, data::of(*this));
  return std::move(out).str();
}

} // namespace mistify::rpc::json
