#include "rpc/agents/storage/ids.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace mistify::agents::storage {

namespace {

constexpr std::size_t max_part = 100, max_parts = 6;
constexpr std::size_t max_text = 180; // ZFS ends at 255, with the pool and the snapshot

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_part(std::string_view text) {
  return !text.empty() && text.size() <= max_part && is_word(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '-' || c == '.' || c == ':'; });
}

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto slash = text.find('/');
    parts.push_back(text.substr(0, slash));
    if (slash == text.npos)
      return parts;
    text.remove_prefix(slash + 1);
  }
}

bool is_disk(std::string_view part) {
  constexpr std::string_view prefix = "disk-";
  return part.starts_with(prefix) && part.size() > prefix.size() && part.size() <= prefix.size() + 4 &&
         std::all_of(part.begin() + prefix.size(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The two folders with a meaning hold nothing else. That of the seeds holds no volumes.
bool has_shape(const std::vector<std::string_view>& parts) {
  if (parts[0] == "images")
    return parts.size() == 2;
  if (parts[0] == "guests")
    return parts.size() == 2 || (parts.size() == 3 && is_disk(parts[2]));
  return parts[0] != "seeds";
}

/// Without control characters, which would end a line where the message is read.
[[noreturn]] void refuse(std::string_view text) {
  std::string shown{text.substr(0, max_text)};
  std::ranges::replace_if(
    shown, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  throw std::invalid_argument{"invalid id: " + shown};
}

} // namespace

dataset_id dataset_id::parse(std::string_view text) {
  if (text.empty())
    throw std::invalid_argument{"need an id"};
  const auto parts = parts_of(text);
  if (text.size() > max_text || parts.size() > max_parts || !std::all_of(parts.begin(), parts.end(), is_part) ||
      !has_shape(parts))
    refuse(text);
  return dataset_id{std::string{text}};
}

dataset_id dataset_id::of_image(std::string_view image) {
  if (image.empty())
    throw std::invalid_argument{"need an id"};
  return parse("images/" + std::string{image});
}

dataset_id dataset_id::of_guest(std::string_view guest) {
  if (guest.empty())
    throw std::invalid_argument{"need an id"};
  auto id = parse("guests/" + std::string{guest});
  if (!id.is_guest())
    refuse(guest);
  return id;
}

dataset_id dataset_id::of_disk(std::string_view guest, std::size_t disk) {
  return parse(of_guest(guest).text() + "/disk-" + std::to_string(disk));
}

bool dataset_id::is_image() const noexcept {
  return text_.starts_with("images/");
}

bool dataset_id::is_guest() const noexcept {
  return text_.starts_with("guests/") && std::count(text_.begin(), text_.end(), '/') == 1;
}

std::optional<std::string> dataset_id::guest() const {
  if (!text_.starts_with("guests/"))
    return std::nullopt;
  return std::string{parts_of(text_)[1]};
}

std::string dataset_id::last_part() const {
  return text_.substr(text_.rfind('/') + 1);
}

snapshot_id snapshot_id::parse(std::string_view text) {
  if (text.empty())
    throw std::invalid_argument{"need an id"};
  const auto at = text.find('@');
  if (at == text.npos)
    throw std::invalid_argument{"not a snapshot"};
  if (!is_part(text.substr(at + 1)))
    refuse(text);
  return {dataset_id::parse(text.substr(0, at)), std::string{text.substr(at + 1)}};
}

void expect_snapshot_name(std::string_view name) {
  if (name.empty())
    throw std::invalid_argument{"need a dest"};
  if (!is_part(name))
    throw std::invalid_argument{"invalid snapshot dest"};
}

} // namespace mistify::agents::storage
