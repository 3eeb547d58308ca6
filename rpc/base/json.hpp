#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Strict, bounded JSON. All parsing and writing of JSON in the agent uses this file.
namespace mistify::rpc::json {

/// The maximum nesting of objects and arrays. Go's decoder allows 10,000; the API needs less than ten.
inline constexpr unsigned max_depth = 100;

class node;

/// One member of an object.
struct member {
  std::string_view key;
  const node& value;
};

/// One value of a parsed document. Valid as long as its document; immutable, so any thread may read it.
///
/// The `as_…` readers throw `failure{invalid_request}` naming `field` on a wrong type ("memory: must be a non-negative
/// whole number"); `null` reads as the zero value of the type.
class node {
public:
  enum class kind : std::uint8_t { null, boolean, number, string, array, object };

  kind type() const noexcept;
  bool is_null() const noexcept { return type() == kind::null; }

  bool as_bool(std::string_view field) const;
  std::string as_string(std::string_view field) const;
  std::uint64_t as_uint(std::string_view field) const; ///< refuses negatives, fractions, exponents, over 2^64-1
  std::int64_t as_int(std::string_view field) const;   ///< refuses fractions, exponents, what needs more than 64 bits
  double as_double(std::string_view field) const;      ///< refuses what no finite double can hold, such as 1e309

  /// Elements of an array; empty for null; throws for any other kind.
  std::vector<std::reference_wrapper<const node>> items(std::string_view field) const;

  /// Members of an object in the order of the text, including duplicates (readers use the last one); empty for null;
  /// throws for any other kind.
  std::vector<member> members(std::string_view field) const;

  /// The last member of that name; null if there is none or this is not an object.
  const node* find(std::string_view key) const noexcept;

  /// Compact text of the value: numbers exactly as received, members in their order.
  std::string text() const;

  struct data; // how the parser stores it: an implementation detail

protected:
  // Only the parser creates nodes, each as part of its `data`.
  node() = default;
  node(const node&) = default;
  node& operator=(const node&) = default;
  ~node() = default;
};

/// A value and the parsed text that it is part of. Copies share the text; immutable, so any thread may read it. It keeps
/// the whole text in memory. One that was moved from may only be assigned or destroyed.
class document {
public:
  /// The value null.
  document() noexcept;

  /// Parses exactly one JSON value. Throws `failure{invalid_request}` with the byte offset on malformed text,
  /// trailing text, invalid UTF-8, an empty text, or nesting over `max_depth`. Does not recurse on the input.
  static document parse(std::string_view text);

  /// An array of these values, whose texts it keeps.
  static document list(std::vector<document> items);

  const node& root() const noexcept { return *root_; }

  /// A value inside this one, as a document of its own.
  document part(const node& inside) const noexcept { return {impl_, inside}; }

private:
  struct impl;
  document(std::shared_ptr<const impl> of, const node& root) noexcept : impl_{std::move(of)}, root_{&root} {}

  std::shared_ptr<const impl> impl_;
  const node* root_;
};

/// Writes compact JSON into one string. The caller balances objects and arrays and does not repeat keys.
///
/// Escapes keys and strings. Replaces bytes that are not UTF-8 (a sub-agent's error text may have some) by U+FFFD, so
/// that the result is valid JSON as long as `raw` was given valid JSON.
///
///   writer w; w.begin_object().key("id").value(id).key("extra").raw(text).end_object(); std::move(w).str()
class writer {
public:
  writer& begin_object();
  writer& end_object();
  writer& begin_array();
  writer& end_array();
  writer& key(std::string_view name);
  writer& value(std::string_view text);
  writer& value(const char* text) { return value(std::string_view{text}); }
  writer& value(const std::string& text) { return value(std::string_view{text}); }
  writer& value(bool v);
  writer& value(std::int64_t v);
  writer& value(std::uint64_t v);
  writer& value(int v) { return value(static_cast<std::int64_t>(v)); }
  writer& value(unsigned v) { return value(static_cast<std::uint64_t>(v)); }
  writer& value(double v); ///< shortest digits that read back the same; NaN and infinities become null
  writer& null();
  writer& raw(std::string_view json); ///< text that is already JSON; must not be empty

  const std::string& str() const& noexcept { return out_; }
  std::string str() && noexcept { return std::move(out_); }

private:
  void begin();
  void separate(); // writes the comma before the next key or value, if needed
  std::string out_;
};

} // namespace mistify::rpc::json
