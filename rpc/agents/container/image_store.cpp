#include "rpc/agents/container/image_store.hpp"

#include "rpc/agents/container/image_archive.hpp"
#include "rpc/agents/container/pull_progress.hpp"
#include "rpc/agents/container/registry_policy.hpp"
#include "rpc/base/log.hpp"
#include "rpc/fetch/sha256.hpp"
#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

namespace fs = std::filesystem;
using fetching::fetch_progress;
using fetching::file_fetch;
using fetching::megabyte;
using namespace std::chrono_literals;

constexpr auto load_time = 1h;
constexpr std::uint64_t reserve = 256 * megabyte; ///< of the file system that archives are staged on

bool is_url(const std::string& source) {
  return source.find("://") != source.npos;
}

std::string text_in(const rpc::json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  return found && found->type() == rpc::json::node::kind::string ? found->as_string(name) : std::string{};
}

rpc::image on_its_way(const std::string& id, const fetch_progress& progress) {
  const auto total = static_cast<std::uint64_t>(std::max<std::int64_t>(progress.total(), 0));
  return {.id = id,
          .type = "container",
          .volume = {},
          .snapshot = {},
          .size = fetching::in_megabytes(total),
          .status = progress.text()};
}

/// Removes what a killed process left.
fs::path swept(fs::path folder) {
  fs::remove_all(folder / "staging");
  fs::create_directories(folder / "staging");
  fs::create_directories(folder / "images");
  return folder;
}

std::string id_for(const rpc::image_request& request) {
  if (!request.id.empty())
    return request.id;
  if (request.source.empty())
    throw std::invalid_argument{"need source"};
  return is_url(request.source) ? id_of_file(fetching::file_name_of(request.source))
                                : id_of_tag(split_reference(request.source).text());
}

/// A reference counts with its tag, so that two spellings are one source.
std::string source_of(const rpc::image_request& request) {
  const auto& source = request.source.empty() ? request.id : request.source;
  if (!is_url(source))
    return split_reference(source).text();
  fetching::parse_url(source);
  return source;
}

} // namespace

image_store::image_store(engine& on, fs::path folder, fetching::fetch_settings settings)
  : engine_{on}, folder_{swept(std::move(folder))},
    queue_{std::move(settings), [this](const std::string& id, const file_fetch::order& what, fetch_progress& progress,
                                       const std::function<bool()>& stop) { fill(id, what, progress, stop); }} {}

// -- looking ---------------------------------------------------------------------------------------------------------

std::optional<image_store::found_image> image_store::find(const std::string& id) {
  for (const auto& reference : references_of(id))
    if (auto described = engine_.find("/images/" + escaped(reference) + "/json"))
      return found_image{reference, std::move(*described)};
  return std::nullopt;
}

rpc::image_response image_store::list(const rpc::image_request&) {
  rpc::image_response found;
  std::set<std::string> ids;
  const auto listed = engine_.get("/images/json");
  for (const auto& one : listed.root().items("images")) {
    const auto* tags = one.get().find("RepoTags");
    if (!tags)
      continue;
    for (const auto& tag : tags->items("RepoTags"))
      if (const auto id = id_of_tag(tag.get().as_string("RepoTags")); !id.empty() && ids.insert(id).second)
        found.images.push_back(image_from(id, one));
  }
  for (const auto& [id, progress] : queue_.running())
    if (ids.insert(id).second)
      found.images.push_back(on_its_way(id, *progress));
  std::ranges::sort(found.images, {}, &rpc::image::id);
  return found;
}

rpc::image_response image_store::get(const rpc::image_request& request) {
  expect_image_id(request.id);
  const auto progress = queue_.progress_of(request.id); // first: it goes when the image is there
  if (const auto found = find(request.id))
    return {{image_from(request.id, found->described.root())}};
  if (!progress)
    throw std::runtime_error{"no such image"};
  return {{on_its_way(request.id, *progress)}};
}

/// Podman removes an image that a container runs from.
void image_store::expect_unused(const std::string& engine_id) {
  const auto listed = engine_.get("/containers/json?all=1");
  for (const auto& one : listed.root().items("containers"))
    if (text_in(one, "ImageID") == engine_id)
      throw std::runtime_error{"in use: a container was made from the image: " + text_in(one, "Id").substr(0, 12)};
}

rpc::image_response image_store::remove(const rpc::image_request& request) {
  expect_image_id(request.id);
  const auto found = find(request.id);
  if (!found)
    throw std::runtime_error{"no such image"};
  expect_unused(text_in(found->described.root(), "Id"));
  engine_.remove("/images/" + escaped(found->reference), 5min);
  std::error_code ignored;
  fs::remove(note_of(request.id), ignored);
  return {{image_from(request.id, found->described.root())}};
}

// -- loading ---------------------------------------------------------------------------------------------------------

rpc::image_response image_store::load(const rpc::image_request& request, const rpc::asker& who) {
  auto made = request;
  made.id = id_for(request);
  expect_image_id(made.id);
  const file_fetch::order what{source_of(request), fetching::wanted_sum(request)};
  if (!what.sha256.empty() && !is_url(what.source))
    throw std::invalid_argument{"sha256: only the archive behind a URL has one"};
  queue_.wait_for(made.id, what, who);
  return get(made);
}

void image_store::fill(const std::string& id, const file_fetch::order& what, fetch_progress& progress,
                       const std::function<bool()>& stop) {
  if (is_there(id, what))
    return;
  if (is_url(what.source))
    fetch(id, what, progress, stop);
  else
    pull(id, what.source, progress, stop);
}

/// An image of the same source is what was asked for; one of another is in the way.
bool image_store::is_there(const std::string& id, const file_fetch::order& what) {
  const auto there = find(id);
  if (!there)
    return false;
  const auto text = origin_of(id, *there);
  if (!text.empty() ? fetching::image_origin::parse(text).fits(what) : there->reference == what.source)
    return true;
  // What another name leads to is no obstacle: this id has a name of its own.
  if (there->reference != local_tag(id).text() && is_url(what.source))
    return false;
  throw std::runtime_error{"conflict: the image " + id + " exists already, from " +
                           (text.empty() ? "elsewhere" : text)};
}

void image_store::fetch(const std::string& id, const file_fetch::order& what, fetch_progress& progress,
                        const std::function<bool()>& stop) {
  const auto file = folder_ / "staging" / ("fetch-" + std::to_string(next_file_++));
  auto limits = queue_.settings().limits;
  limits.space = [this] {
    const auto left = fs::space(folder_).available;
    return left > reserve ? left - reserve : 0;
  };
  limits.keep_free = reserve;
  try {
    file_fetch from{what, limits, queue_.settings().reading, {tar_block, &expect_archive_head}, stop, progress};
    from.run(file);
    progress.convert();
    load_archive(file, id, stop);
    note(id, fetching::image_origin{from.source(), from.sum()}.text());
    fs::remove(file);
  } catch (...) {
    std::error_code ignored;
    fs::remove(file, ignored);
    throw;
  }
}

void image_store::load_archive(const fs::path& file, const std::string& id, const std::function<bool()>& stop) {
  image_archive archive{file, local_tag(id).text(), queue_.settings().limits.max_size};
  engine_request request{.method = "POST", .path = "/images/load?quiet=1", .content_type = "application/x-tar"};
  request.upload = [&](char* to, std::size_t most) { return archive.read(to, most); };
  request.upload_size = archive.size();
  request.time = load_time;
  request.stop = stop;
  engine_.follow_progress(std::move(request));
  if (const auto there = find(id); !there || there->reference != local_tag(id).text())
    throw std::runtime_error{"the container engine made no image of the archive"};
}

void image_store::pull(const std::string& id, const std::string& reference, fetch_progress& progress,
                       const std::function<bool()>& stop) {
  const auto tag = split_reference(reference);
  expect_registry(tag, queue_.settings().reading.nets);
  pull_progress layers{progress};
  engine_request request{.method = "POST",
                         .path = "/images/create?fromImage=" + escaped(tag.repository) + "&tag=" + escaped(tag.tag)};
  request.time = queue_.settings().limits.time;
  request.stop = stop;
  engine_.follow_progress(std::move(request), [&](const rpc::json::node& line) { layers.take(line); });
  const auto pulled = engine_.find("/images/" + escaped(reference) + "/json");
  if (!pulled)
    throw std::runtime_error{"no such image: " + reference};
  if (id != id_of_tag(reference)) {
    const auto own = local_tag(id);
    engine_.post("/images/" + escaped(reference) + "/tag?repo=" + escaped(own.repository) + "&tag=" + escaped(own.tag));
    note(id, fetching::image_origin{reference, {}}.text());
  }
}

// -- where images came from ------------------------------------------------------------------------------------------

fs::path image_store::note_of(const std::string& id) const {
  constexpr std::size_t longest = 200; // file systems end at 255
  auto name = escaped(id);
  if (name.size() > longest) {
    fetching::sha256 sum;
    sum.add(id);
    name = "%" + sum.hex(); // no id begins so
  }
  return folder_ / "images" / name;
}

void image_store::note(const std::string& id, const std::string& origin) {
  const auto there = find(id);
  std::ofstream out{note_of(id), std::ios::trunc};
  out << (there ? text_in(there->described.root(), "Id") : "") << '\n' << origin;
  out.close();
  if (!out)
    rpc::log::warning("where an image came from cannot be written down", {{"image", id}});
}

/// "" where it is not known, or the name leads to another image by now.
std::string image_store::origin_of(const std::string& id, const found_image& there) const {
  std::ifstream in{note_of(id)};
  std::string engine_id, origin;
  std::getline(in, engine_id);
  std::getline(in, origin);
  return engine_id == text_in(there.described.root(), "Id") ? origin : std::string{};
}

} // namespace mistify::agents::container
