#include "rpc/agents/storage/fetches.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>

namespace mistify::agents::storage {

fetches::fetches(place& where, fetch_settings settings)
  : place_{where}, queue_{std::move(settings), [this](const std::string& image, const fetch::order& what,
                                                      fetch_progress& progress, const std::function<bool()>& stop) {
                            fill(dataset_id::parse(image), what, progress, stop);
                          }} {}

void fetches::wait_for(const dataset_id& image, const fetch::order& what, const rpc::asker& who) {
  queue_.wait_for(image.text(), what, who);
}

/// An image of the same source is what was asked for; one of another is in the way.
bool fetches::is_there(const dataset_id& image, const fetch::order& what) const {
  const auto& store = place_.store();
  if (!store.find(image))
    return false;
  const auto origin = image_origin::parse(store.origin_of(image));
  if (origin.fits(what))
    return true;
  throw std::runtime_error{image.text() + " exists already, from " +
                           (origin.source.empty() ? "elsewhere" : origin.text())};
}

void fetches::fill(const dataset_id& image, const fetch::order& what, fetch_progress& progress,
                   const std::function<bool()>& stop) {
  if (is_there(image, what))
    return;
  auto& store = place_.store();
  auto limits = queue_.settings().limits;
  limits.space = [&store] { return store.free_space(); };
  limits.keep_free = store.space().reserve();
  const auto file = store.staging() / ("fetch-" + std::to_string(next_file_++));
  try {
    fetch from{what, limits, queue_.settings().reading, stop, progress, store.takes_zfs_streams()};
    const auto format = from.run(file);
    progress.convert();
    if (from.space() > store.free_space())
      throw std::runtime_error{"no space left on device"};
    store.import_image(file, format, image, image_origin{from.source(), from.sum()}.text(), stop);
    if (format == "zfs")
      expect_size_of(image);
  } catch (...) {
    std::filesystem::remove(file);
    throw;
  }
}

/// The size of a volume that was received is known only when it is there.
void fetches::expect_size_of(const dataset_id& image) const {
  const auto most = queue_.settings().limits.max_size;
  const auto facts = place_.store().find(image);
  if (!facts || facts->size <= most)
    return;
  place_.store().destroy(image);
  expect_size(facts->size, most);
}

std::shared_ptr<const fetch_progress> fetches::progress_of(const dataset_id& image) const {
  return queue_.progress_of(image.text());
}

std::vector<std::pair<dataset_id, std::shared_ptr<const fetch_progress>>> fetches::running() const {
  std::vector<std::pair<dataset_id, std::shared_ptr<const fetch_progress>>> all;
  for (auto& [image, progress] : queue_.running())
    all.emplace_back(dataset_id::parse(image), std::move(progress));
  return all;
}

} // namespace mistify::agents::storage
