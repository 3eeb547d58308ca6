#include "rpc/agents/container/image_names.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/text.hpp"
#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

constexpr std::string_view local = "localhost/";
constexpr std::size_t longest = 200, longest_tag = 128;

bool is_lower(char c) {
  return (c >= 'a' && c <= 'z') || rpc::text::is_digit(c);
}

/// A part of a repository: letters and digits, with single marks between.
bool is_part(std::string_view part) {
  return !part.empty() && is_lower(part.front()) && is_lower(part.back()) &&
         std::ranges::all_of(part, [](char c) { return is_lower(c) || c == '.' || c == '_' || c == '-'; }) &&
         part.find("..") == part.npos;
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= longest_tag && tag.front() != '.' && tag.front() != '-' &&
         std::ranges::all_of(tag,
                             [](char c) { return is_lower(rpc::text::lower(c)) || c == '.' || c == '_' || c == '-'; });
}

/// A registry may have a port: its part is "host:5000".
bool is_first_part(std::string_view part) {
  const auto colon = part.find(':');
  if (colon == part.npos)
    return is_part(part);
  const auto port = part.substr(colon + 1);
  return is_part(part.substr(0, colon)) && !port.empty() && std::ranges::all_of(port, rpc::text::is_digit);
}

bool is_repository(std::string_view repository) {
  for (bool first = true;; first = false) {
    const auto slash = repository.find('/');
    const auto part = repository.substr(0, slash);
    if (first && slash != repository.npos ? !is_first_part(part) : !is_part(part))
      return false;
    if (slash == repository.npos)
      return true;
    repository.remove_prefix(slash + 1);
  }
}

/// The colon of a tag is behind the last slash.
image_tag split(std::string_view text) {
  const auto slash = text.rfind('/');
  const auto colon = text.find(':', slash == text.npos ? 0 : slash);
  if (colon == text.npos)
    return {std::string{text}, "latest"};
  return {std::string{text.substr(0, colon)}, std::string{text.substr(colon + 1)}};
}

/// Registries have a dot or a port, or are this host. Podman would take a short name such as "oci" for one of its transports.
image_tag completed(image_tag tag) {
  const auto slash = tag.repository.find('/');
  const auto first = tag.repository.substr(0, slash);
  if (slash == tag.repository.npos)
    tag.repository.insert(0, "docker.io/library/");
  else if (first.find_first_of(".:") == first.npos && first != "localhost")
    tag.repository.insert(0, "docker.io/");
  return tag;
}

std::string shown(std::string_view text) {
  auto cut = rpc::cut_text(text, longest);
  std::ranges::replace_if(
    cut, [](char c) { return rpc::text::is_control(c); }, '?');
  return cut;
}

} // namespace

image_tag split_reference(const std::string& reference) {
  auto tag = split(reference);
  if (reference.size() > longest || !is_repository(tag.repository) || !is_tag(tag.tag))
    throw std::invalid_argument{"no reference of an image: " + shown(reference)};
  return completed(std::move(tag));
}

void expect_image_id(const std::string& id) {
  if (id.empty())
    throw std::invalid_argument{"need an id"};
  const auto tag = split(id);
  if (id.size() > longest || !is_repository(tag.repository) || !is_tag(tag.tag))
    throw std::invalid_argument{"invalid id: " + shown(id) +
                                " (lower-case letters, digits and . _ - /, and a tag behind a colon)"};
}

image_tag local_tag(const std::string& id) {
  auto tag = split(id);
  if (!tag.repository.starts_with(local))
    tag.repository.insert(0, local);
  return tag;
}

std::vector<std::string> references_of(const std::string& id) {
  expect_image_id(id);
  std::vector<std::string> all{local_tag(id).text()};
  if (auto whole = completed(split(id)).text(); whole != all.front())
    all.push_back(std::move(whole));
  return all;
}

std::string id_of_tag(std::string_view tag) {
  if (tag.find('<') != tag.npos)
    return {};
  for (const std::string_view prefix : {local, std::string_view{"docker.io/library/"}, std::string_view{"docker.io/"}})
    if (tag.starts_with(prefix)) {
      tag.remove_prefix(prefix.size());
      break;
    }
  if (constexpr std::string_view latest = ":latest"; tag.ends_with(latest))
    tag.remove_suffix(latest.size());
  return std::string{tag};
}

std::string id_of_file(std::string_view file) {
  std::string name;
  std::ranges::transform(file, std::back_inserter(name), rpc::text::lower);
  constexpr std::array<std::string_view, 9> endings{".gz",  ".xz",     ".zst", ".tgz", ".txz",
                                                    ".tar", ".docker", ".oci", ".tzst"};
  for (bool again = true; again;) {
    again = false;
    for (const auto ending : endings)
      if (name.size() > ending.size() && name.ends_with(ending)) {
        name.resize(name.size() - ending.size());
        again = true;
      }
  }
  return name;
}

rpc::image image_from(const std::string& id, const rpc::json::node& described) {
  const auto* size = described.find("Size");
  std::uint64_t bytes = 0;
  if (size && size->type() == rpc::json::node::kind::number && !size->text().starts_with('-'))
    bytes = size->as_uint("Size");
  return {.id = id,
          .type = "container",
          .volume = {},
          .snapshot = {},
          .size = fetching::in_megabytes(bytes),
          .status = "complete"};
}

} // namespace mistify::agents::container
