#include "rpc/agents/container/image_archive.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"
#include "rpc/fetch/sha256.hpp"
#include "rpc/fetch/text_content.hpp"
#include "rpc/fetch/wrong_content.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <sys/utsname.h>

namespace mistify::agents::container {

namespace {

namespace json = rpc::json;

constexpr std::size_t most_text = 4 * 1024 * 1024; ///< of a manifest, index or config
constexpr std::size_t most_layers = 1000;          ///< engines allow about 127
constexpr std::string_view digest_prefix = "sha256:";

/// What the engine has to know of the one image.
struct image_parts {
  std::string config;
  std::vector<std::string> layers;
};

[[noreturn]] void broken(const std::string& why) {
  throw std::runtime_error{"the image archive cannot be used: " + why};
}

std::string text_in(const json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  return found && found->type() == json::node::kind::string ? found->as_string(name) : std::string{};
}

std::vector<std::reference_wrapper<const json::node>> items_in(const json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  return found ? found->items(name) : std::vector<std::reference_wrapper<const json::node>>{};
}

const tar_index::entry& need(const tar_index& archive, const std::string& name) {
  const auto* found = archive.find(name);
  if (!found)
    broken("it has no " + name);
  return *found;
}

json::document parse(const std::string& text, const std::string& name) {
  try {
    return json::document::parse(text);
  } catch (const rpc::failure& e) {
    broken(name + " is no JSON: " + e.message());
  }
}

// -- docker-archives -------------------------------------------------------------------------------------------------

image_parts read_docker(const tar_index& archive) {
  const auto manifest = parse(archive.read(need(archive, "manifest.json"), most_text), "manifest.json");
  const auto images = manifest.root().items("manifest.json");
  if (images.size() != 1)
    broken("it holds " + std::to_string(images.size()) + " images, and not one");
  image_parts parts{text_in(images[0], "Config"), {}};
  for (const auto& layer : items_in(images[0], "Layers"))
    parts.layers.push_back(layer.get().as_string("Layers"));
  return parts;
}

// -- OCI archives ----------------------------------------------------------------------------------------------------

/// The file of a blob.
std::string blob_of(const json::node& descriptor) {
  const auto digest = text_in(descriptor, "digest");
  const auto sum = std::string_view{digest}.substr(std::min(digest.size(), digest_prefix.size()));
  if (!digest.starts_with(digest_prefix) || sum.size() != 64 ||
      !std::ranges::all_of(sum, [](char c) { return rpc::text::hex_value(c) >= 0 && !(c >= 'A' && c <= 'F'); }))
    broken("a digest is no sha256");
  return "blobs/sha256/" + std::string{sum};
}

/// The text of a blob, which has the sum that it is named by.
std::string read_blob(const tar_index& archive, const std::string& name) {
  auto text = archive.read(need(archive, name), most_text);
  fetching::sha256 sum;
  sum.add(text);
  if (!name.ends_with(sum.hex()))
    broken(name + " has another sum");
  return text;
}

std::string host_architecture() {
  utsname host{};
  ::uname(&host);
  const std::string machine = host.machine;
  if (machine == "x86_64")
    return "amd64";
  return machine == "aarch64" ? "arm64" : machine;
}

bool is_for_host(const json::node& descriptor) {
  const auto* platform = descriptor.find("platform");
  return platform && text_in(*platform, "architecture") == host_architecture() && text_in(*platform, "os") == "linux";
}

/// The one that the host runs; the only one, where there is one.
const json::node& choose(const std::vector<std::reference_wrapper<const json::node>>& manifests) {
  if (manifests.size() == 1)
    return manifests[0];
  const auto fits = std::ranges::count_if(manifests, [](const json::node& m) { return is_for_host(m); });
  if (fits != 1)
    broken("it holds " + std::to_string(manifests.size()) + " images, of which " + std::to_string(fits) +
           " are for this host");
  return *std::ranges::find_if(manifests, [](const json::node& m) { return is_for_host(m); });
}

image_parts read_oci(const tar_index& archive) {
  constexpr int deepest = 3; // an index may be in an index
  auto text = archive.read(need(archive, "index.json"), most_text);
  for (int depth = 0; depth < deepest; ++depth) {
    const auto document = parse(text, "index.json");
    const auto& root = document.root();
    if (const auto* config = root.find("config")) {
      image_parts parts{blob_of(*config), {}};
      read_blob(archive, parts.config);
      for (const auto& layer : items_in(root, "layers"))
        parts.layers.push_back(blob_of(layer));
      return parts;
    }
    text = read_blob(archive, blob_of(choose(items_in(root, "manifests"))));
  }
  broken("its index has no image");
}

// -- what the engine gets --------------------------------------------------------------------------------------------

/// The contents that the engine gets, each once, and which of them the config and the layers are.
struct chosen_parts {
  std::vector<const tar_index::entry*> files;
  std::vector<std::size_t> roles; ///< the config's, then the layers'
};

/// A layer that is a link to another one is that one.
chosen_parts choose_parts(const tar_index& archive, const image_parts& parts) {
  chosen_parts chosen;
  std::map<std::uint64_t, std::size_t> known; // by place
  const auto take = [&](const std::string& name) {
    const auto* found = name.empty() ? nullptr : archive.follow(name);
    if (!found)
      broken("it lacks a part that its manifest names");
    const auto [row, is_new] = known.try_emplace(found->data, chosen.files.size());
    if (is_new)
      chosen.files.push_back(found);
    chosen.roles.push_back(row->second);
  };
  take(parts.config);
  if (chosen.files[0]->size > most_text)
    broken("its config is too large");
  for (const auto& layer : parts.layers)
    take(layer);
  return chosen;
}

void expect_size(const chosen_parts& parts, std::uint64_t most) {
  std::uint64_t left = most;
  for (const auto role : parts.roles) {
    const auto size = parts.files[role]->size;
    if (size > left)
      broken("its layers are larger than any image may be");
    left -= size;
  }
}

std::string part_name(std::size_t index) {
  return std::to_string(index) + ".part";
}

std::string manifest_of(const std::vector<std::size_t>& roles, const std::string& tag) {
  json::writer w;
  w.begin_array().begin_object().key("Config").value(part_name(roles[0]));
  w.key("RepoTags").begin_array().value(tag).end_array();
  w.key("Layers").begin_array();
  for (std::size_t i = 1; i < roles.size(); ++i)
    w.value(part_name(roles[i]));
  w.end_array().end_object().end_array();
  return std::move(w).str();
}

image_parts read_parts(const tar_index& archive) {
  try {
    if (archive.find("manifest.json"))
      return read_docker(archive);
    if (archive.find("oci-layout"))
      return read_oci(archive);
  } catch (const rpc::failure& e) {
    broken(e.message());
  }
  broken("it has neither the manifest.json of docker save nor an OCI layout");
}

} // namespace

image_archive::image_archive(const std::filesystem::path& file, const std::string& tag, std::uint64_t most)
  : archive_{file} {
  const auto parts = read_parts(archive_);
  if (parts.layers.empty() || parts.layers.size() > most_layers)
    broken("it has " + std::to_string(parts.layers.size()) + " layers");
  const auto chosen = choose_parts(archive_, parts);
  expect_size(chosen, most);
  auto manifest = manifest_of(chosen.roles, tag);
  const auto size = manifest.size();
  manifest.resize(padded(size), '\0');
  add({tar_head("manifest.json", size) + manifest, 0, 0});
  for (std::size_t i = 0; i < chosen.files.size(); ++i) {
    const auto& part = *chosen.files[i];
    add({tar_head(part_name(i), part.size), 0, 0});
    add({{}, part.data, padded(part.size)});
  }
  add({std::string(2 * tar_block, '\0'), 0, 0});
}

void image_archive::add(piece p) {
  size_ += p.length();
  pieces_.push_back(std::move(p));
}

std::size_t image_archive::read(char* to, std::size_t most) {
  std::size_t done = 0;
  while (done < most && piece_ < pieces_.size()) {
    const auto& p = pieces_[piece_];
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(most - done, p.length() - at_));
    if (p.size == 0)
      p.text.copy(to + done, part, static_cast<std::size_t>(at_));
    else if (archive_.read_at(p.from + at_, to + done, part) != part)
      broken("it became shorter");
    done += part;
    at_ += part;
    if (at_ == p.length()) {
      ++piece_;
      at_ = 0;
    }
  }
  return done;
}

void expect_archive_head(std::string_view head) {
  if (is_tar_head(head))
    return;
  const bool is_page = fetching::is_markup(head);
  throw fetching::wrong_content{is_page ? "the source is an HTML or XML page, and no image archive"
                                        : "the source is no image archive: it is no tar, whether packed or not",
                                is_page};
}

} // namespace mistify::agents::container
