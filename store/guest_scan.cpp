#include "store/guest_scan.hpp"

#include "rpc/model/unmanaged.hpp"
#include "store/mac_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>

namespace mistify::store {

namespace {

constexpr auto make_end_table() {
  std::array<bool, 256> ends{};
  for (std::size_t c = 0; c < ends.size(); ++c)
    ends.at(c) = c == '"' || c == '\\' || c < ' ' || c > '~';
  return ends;
}

/// A quote, or what only the codec reads. A table, because most of a scan is this.
bool ends_plain_text(char c) noexcept {
  static constexpr auto ends = make_end_table();
  return ends[static_cast<unsigned char>(c)]; // NOLINT(cppcoreguidelines-pro-bounds-constant-array-index)
}

/// Compares names, most of which differ in size or in their first character, without a call.
bool is(std::string_view name, std::string_view known) noexcept {
  return name.size() == known.size() && (name.empty() || (name[0] == known[0] && name == known));
}

/// Reads values one after the other. Every reader returns false if the text is not as the header says; then the scan ends.
class scanner {
public:
  explicit scanner(std::string_view text) noexcept : left_{text} {}

  bool at_end() const noexcept { return left_.empty(); }

  bool string(std::string_view& to) noexcept {
    if (!take('"'))
      return false;
    const auto* const end = std::ranges::find_if(left_, ends_plain_text);
    if (end == left_.end() || *end != '"')
      return false;
    to = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
    left_.remove_prefix(to.size() + 1);
    return true;
  }

  bool number(std::int64_t& to) noexcept {
    constexpr std::size_t most_digits = 15; // sums of so few do not wrap around
    const bool negative = left_.starts_with('-');
    const auto digits = left_.substr(negative ? 1 : 0);
    const auto length = std::min(digits.find_first_not_of("0123456789"), digits.size());
    if (length == 0 || length > most_digits || (digits[0] == '0' && (negative || length > 1)))
      return false;
    std::from_chars(left_.data(), digits.data() + length, to);
    left_ = digits.substr(length);
    return left_.empty() || (left_[0] != '.' && left_[0] != 'e' && left_[0] != 'E');
  }

  bool number(std::uint64_t& to) noexcept {
    std::int64_t value = 0;
    const bool fits = number(value) && value >= 0;
    to = static_cast<std::uint64_t>(value);
    return fits;
  }

  bool string(std::string& to) {
    std::string_view text;
    if (!string(text))
      return false;
    to = text;
    return true;
  }

  bool null() noexcept { return take("null"); }

  /// Calls `read` with the name of each member; it reads the value.
  template <class F>
  bool object(F read) {
    return sequence('{', '}', [&] {
      std::string_view name;
      return string(name) && take(':') && read(name);
    });
  }

  template <class F>
  bool array(F read) {
    return sequence('[', ']', read);
  }

  bool any(unsigned depth = 0) {
    constexpr unsigned deepest = 8;
    std::string_view text;
    std::int64_t value = 0;
    if (left_.empty() || depth > deepest)
      return false;
    switch (left_[0]) {
    case '"': return string(text);
    case '{': return object([&](std::string_view) { return any(depth + 1); });
    case '[': return array([&] { return any(depth + 1); });
    case 't': return take("true");
    case 'f': return take("false");
    case 'n': return take("null");
    default: return number(value);
    }
  }

private:
  template <class F>
  bool sequence(char opening, char closing, F read) {
    if (!take(opening))
      return false;
    if (take(closing))
      return true;
    do {
      if (!read())
        return false;
    } while (take(','));
    return take(closing);
  }

  bool take(char wanted) noexcept {
    if (!left_.starts_with(wanted))
      return false;
    left_.remove_prefix(1);
    return true;
  }

  bool take(std::string_view wanted) noexcept {
    if (!left_.starts_with(wanted))
      return false;
    left_.remove_prefix(wanted.size());
    return true;
  }

  std::string_view left_;
};

/// Members that were there already, of those whose value counts: of two, the codec takes the last one.
class seen_members {
public:
  bool first(std::string_view name) noexcept {
    const auto known = std::span{names_}.first(count_);
    if (count_ == names_.size() || std::ranges::any_of(known, [&](auto one) { return is(one, name); }))
      return false;
    names_.at(count_++) = name;
    return true;
  }

private:
  std::array<std::string_view, 24> names_{}; // more are for the codec
  std::size_t count_ = 0;
};

constexpr std::array<std::string_view, 8> nic_texts{"name",    "network", "model",   "mac",
                                                    "address", "netmask", "gateway", "device"};
constexpr std::array<std::string_view, 5> disk_texts{"bus", "device", "volume", "image", "source"};

bool is_one_of(const auto& names, std::string_view name) noexcept {
  return std::ranges::any_of(names, [&](auto one) { return is(one, name); });
}

bool scan_nic(scanner& in, guest_facts& facts) {
  seen_members seen;
  std::string_view mac, text;
  std::int64_t vlan = 0;
  const bool fits = in.object([&](std::string_view name) {
    if (!seen.first(name))
      return false;
    if (is(name, "mac"))
      return in.string(mac);
    if (is(name, "vlans"))
      return in.null() || in.array([&] { return in.number(vlan); });
    return is_one_of(nic_texts, name) ? in.string(text) : in.any();
  });
  if (fits && !mac.empty())
    facts.macs.push_back(comparable_mac(mac));
  return fits;
}

bool scan_disk(scanner& in, guest_facts& facts) {
  seen_members seen;
  std::string_view text;
  std::uint64_t size = 0;
  const bool fits = in.object([&](std::string_view name) {
    if (!seen.first(name))
      return false;
    if (is(name, "size"))
      return in.number(size);
    return is_one_of(disk_texts, name) ? in.string(text) : in.any();
  });
  facts.disk += size;
  return fits;
}

bool scan_labels(scanner& in, rpc::metadata_map& labels) {
  return in.object([&](std::string_view name) { return in.string(labels[std::string{name}]); });
}

bool scan_member(scanner& in, std::string_view name, scanned_guest& to) {
  auto& facts = to.facts;
  std::string_view text;
  if (is(name, "id"))
    return in.string(to.id);
  if (is(name, "type"))
    return in.string(to.type);
  if (is(name, "wanted"))
    return in.string(to.wanted);
  if (is(name, "state"))
    return in.string(facts.state);
  if (is(name, "state_reason") || is(name, "image"))
    return in.string(text);
  if (is(name, "memory"))
    return in.number(facts.memory);
  if (is(name, "cpu"))
    return in.number(facts.cpu);
  if (is(name, "vnc"))
    return in.number(facts.vnc);
  if (is(name, "nics"))
    return in.array([&] { return scan_nic(in, facts); });
  if (is(name, "disks"))
    return in.array([&] { return scan_disk(in, facts); });
  if (is(name, "metadata"))
    return in.object([&](std::string_view) { return in.string(text); });
  if (is(name, "name"))
    return in.string(facts.name);
  if (is(name, "labels"))
    return scan_labels(in, facts.labels);
  return name != rpc::adopted_member && in.any(); // disks of an adopted guest count otherwise
}

} // namespace

std::optional<scanned_guest> scan_guest(std::string_view doc) {
  scanner in{doc};
  scanned_guest found;
  seen_members seen;
  const bool fits = in.object([&](std::string_view name) { return seen.first(name) && scan_member(in, name, found); });
  return fits && in.at_end() ? std::optional{std::move(found)} : std::nullopt;
}

} // namespace mistify::store
