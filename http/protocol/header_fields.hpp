#pragma once

#include "rpc/http1/request_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

using rpc::http1::header_field;

/// The header fields of a request: names in lower case, the values of a repeated one joined with ", ". One text holds them
/// all, because most are never asked for. A look-up compares one after the other: there are ten or so.
class header_fields {
public:
  header_fields() = default;
  explicit header_fields(std::span<const header_field> sent) { assign(sent); }

  /// Takes these in place of what was there, with its memory.
  void assign(std::span<const header_field> sent);
  std::size_t memory() const noexcept { return text_.capacity() + places_.capacity() * sizeof(place); }

  /// The value by the name in lower case; null if absent.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return look_up(name) != nullptr; }
  /// True for a field that came more than once.
  bool is_repeated(std::string_view name) const noexcept;

  /// All of them, each name once, in no order that means anything.
  std::size_t size() const noexcept { return places_.size(); }
  header_field operator[](std::size_t i) const noexcept { return {name_of(places_[i]), value_of(places_[i])}; }

private:
  /// Where a field lies in `text_`. Offsets stay right when the text moves.
  struct place {
    std::uint32_t name, name_size, value, value_size;
    bool repeated = false;
  };

  std::string_view name_of(const place& p) const noexcept { return {text_.data() + p.name, p.name_size}; }
  std::string_view value_of(const place& p) const noexcept { return {text_.data() + p.value, p.value_size}; }
  const place* look_up(std::string_view name) const noexcept;
  std::size_t add(const header_field& sent, std::size_t at);
  bool may_repeat() const noexcept;
  void sort();
  void join_repeated();

  std::string text_;
  std::vector<place> places_;
};

} // namespace mistify::http
