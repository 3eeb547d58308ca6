#include "rpc/agents/libvirt/guest_text.hpp"

#include "rpc/images/store_file.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string_view>

namespace mistify::agents {

namespace {

constexpr std::size_t longest_device = 15; // IFNAMSIZ, without the zero

using fields = std::initializer_list<std::pair<const char*, const std::string*>>;

[[noreturn]] void refuse(const std::string& field, const char* reason) {
  throw std::invalid_argument{field + ": " + reason};
}

void expect_plain(const std::string& of, fields all) {
  for (const auto& [name, text] : all)
    if (!images::is_plain_text(*text))
      refuse(of + name, "has control characters");
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

bool is_name(std::string_view text, std::string_view marks) {
  return std::ranges::all_of(text, [&](char c) { return is_word(c) || marks.find(c) != marks.npos; });
}

/// libvirt allows spaces and letters of any language in the name of a network, but not alone or at its ends.
bool is_network(const std::string& name) {
  return name.empty() || (name.find('/') == name.npos && name.front() != ' ' && name.back() != ' ' && name != "." &&
                          name != ".." && name.front() != '-');
}

void expect_nic(const rpc::nic& n, const std::string& field) {
  expect_plain(
    field,
    {{".name", &n.name}, {".network", &n.network}, {".model", &n.model}, {".mac", &n.mac}, {".device", &n.device}});
  if (!is_network(n.network))
    refuse(field + ".network", "is no name of a network");
  if (!is_name(n.model, "-"))
    refuse(field + ".model", "is no name of a model");
  if (n.device.size() > longest_device || !is_name(n.device, "-."))
    refuse(field + ".device", "is no name of a network device");
}

void expect_different_names(const rpc::guest& g) {
  for (auto nic = g.nics.begin(); nic != g.nics.end(); ++nic)
    if (std::any_of(g.nics.begin(), nic, [&](const rpc::nic& before) { return before.name == nic->name; }))
      refuse("nics[" + std::to_string(nic - g.nics.begin()) + "].name", "another nic has this name");
}

} // namespace

void expect_plain_text(const rpc::guest& g) {
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    const auto& d = g.disks[i];
    expect_plain("disks[" + std::to_string(i) + "]",
                 {{".bus", &d.bus}, {".device", &d.device}, {".source", &d.source}, {".volume", &d.volume}});
  }
  for (std::size_t i = 0; i < g.nics.size(); ++i)
    expect_nic(g.nics[i], "nics[" + std::to_string(i) + "]");
  for (const auto& [key, text] : g.metadata)
    if (key.starts_with("boot."))
      expect_plain("metadata.", {{key.c_str(), &text}});
  expect_different_names(g);
}

} // namespace mistify::agents
