#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::agents::storage {

/// The name of something within the store: `images/ID`, `guests/ID` (a guest, which is its disks), `guests/ID/disk-N`, or
/// any other path of up to six parts for volumes of their own.
///
/// A part is up to 100 letters, digits and `_-.:`, and begins with a letter, a digit or `_`. So a name that was parsed
/// cannot leave the store's folder or pool, cannot be taken for an option, and holds nothing that QEMU or ZFS would read
/// more into. A value.
class dataset_id {
public:
  /// Throws std::invalid_argument: `need an id` for an empty text, else what is wrong with it.
  static dataset_id parse(std::string_view text);
  static dataset_id of_image(std::string_view image);
  static dataset_id of_guest(std::string_view guest);
  static dataset_id of_disk(std::string_view guest, std::size_t disk);

  const std::string& text() const noexcept { return text_; }

  bool is_image() const noexcept;
  bool is_guest() const noexcept; ///< the guest itself, not one of its disks
  /// The guest's id, of a guest and of its disks.
  std::optional<std::string> guest() const;
  /// What stands behind the last slash.
  std::string last_part() const;

  friend bool operator==(const dataset_id&, const dataset_id&) = default;
  friend auto operator<=>(const dataset_id&, const dataset_id&) = default;

private:
  explicit dataset_id(std::string text) : text_{std::move(text)} {}
  std::string text_;
};

/// `guests/{id}[/disk-{d}]@{name}`: a snapshot of a dataset.
struct snapshot_id {
  dataset_id of;
  std::string name;

  /// Throws std::invalid_argument: `need an id`, `not a snapshot`, or what is wrong with it.
  static snapshot_id parse(std::string_view text);

  std::string text() const { return of.text() + '@' + name; }
};

/// Throws std::invalid_argument unless it can be a snapshot's name: `need a dest`, `invalid snapshot dest`.
void expect_snapshot_name(std::string_view name);

} // namespace mistify::agents::storage
