#include "http/protocol/header_fields.hpp"

#include "rpc/base/text.hpp"

#include <algorithm>
#include <utility>

namespace mistify::http {

void header_fields::assign(std::span<const header_field> sent) {
  std::size_t size = 0;
  for (const auto& one : sent)
    size += one.name.size() + one.value.size();
  text_.resize(size);
  places_.clear();
  places_.reserve(sent.size());
  std::size_t at = 0;
  for (const auto& one : sent)
    at = add(one, at);
  if (!may_repeat())
    return;
  sort();
  const auto same = [this](const place& a, const place& b) { return name_of(a) == name_of(b); };
  if (std::ranges::adjacent_find(places_, same) != places_.end())
    join_repeated();
}

/// Names of different sizes differ; a small request has no two of one size.
bool header_fields::may_repeat() const noexcept {
  std::uint64_t sizes = 0;
  for (const auto& one : places_)
    if (const auto bit = std::uint64_t{1} << (one.name_size % 64); sizes & bit)
      return true;
    else
      sizes |= bit;
  return false;
}

std::optional<std::string_view> header_fields::find(std::string_view name) const noexcept {
  const auto* found = look_up(name);
  return found ? std::optional{value_of(*found)} : std::nullopt;
}

bool header_fields::is_repeated(std::string_view name) const noexcept {
  const auto* found = look_up(name);
  return found && found->repeated;
}

const header_fields::place* header_fields::look_up(std::string_view name) const noexcept {
  for (const auto& one : places_)
    if (name_of(one) == name)
      return &one;
  return nullptr;
}

/// Copies the field to `at`; returns the place behind it.
std::size_t header_fields::add(const header_field& sent, std::size_t at) {
  const auto value = at + sent.name.size();
  std::transform(sent.name.begin(), sent.name.end(), text_.data() + at, [](char c) { return rpc::text::lower(c); });
  sent.value.copy(text_.data() + value, sent.value.size());
  places_.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(sent.name.size()),
                     static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(sent.value.size())});
  return value + sent.value.size();
}

/// Brings fields of one name together, in the order in which they were sent. A client may send thousands of fields, so
/// that each must not be compared with every other.
void header_fields::sort() {
  std::ranges::sort(places_, [this](const place& a, const place& b) {
    if (a.name_size != b.name_size)
      return a.name_size < b.name_size;
    const auto order = name_of(a).compare(name_of(b));
    return order != 0 ? order < 0 : a.name < b.name;
  });
}

void header_fields::join_repeated() {
  std::vector<place> joined;
  for (const auto& one : places_) {
    if (joined.empty() || name_of(joined.back()) != name_of(one)) {
      joined.push_back(one);
      continue;
    }
    auto& first = joined.back();
    if (!std::exchange(first.repeated, true)) { // moves the value to the end of the text
      const auto at = text_.size();
      text_.append(text_, first.value, first.value_size);
      first.value = static_cast<std::uint32_t>(at);
    }
    text_.append(", ").append(text_, one.value, one.value_size);
    first.value_size += 2 + one.value_size;
  }
  places_ = std::move(joined);
}

} // namespace mistify::http
