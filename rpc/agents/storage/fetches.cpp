#include "rpc/agents/storage/fetches.hpp"

#include "rpc/agents/storage/address_policy.hpp"
#include "rpc/agents/storage/units.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <thread>

namespace mistify::agents::storage {

struct fetches::one {
  one(dataset_id id, fetch::order what, std::uint64_t number)
    : image{std::move(id)}, order{std::move(what)}, host{parse_url(order.source).host}, turn{number} {}

  const dataset_id image;
  const fetch::order order;
  const std::string host;
  const std::uint64_t turn; // the lower one comes first
  const std::shared_ptr<fetch_progress> progress = std::make_shared<fetch_progress>();
  std::atomic<bool> stop = false;
  // By the mutex:
  unsigned waiting = 0;
  bool started = false, ended = false;
  std::exception_ptr trouble;
  std::thread thread; // joined by the last one who waits
  bool runs() const noexcept { return started && !ended; }
};

namespace {

constexpr std::chrono::milliseconds between_questions{100};

constexpr std::string_view before_sum = " sha256:";

/// What is kept with an image: the source without its secrets, and the sum of what came from there.
std::string origin_of(const std::string& source, const std::string& sum) {
  return without_secrets(source) + std::string{before_sum} + sum;
}

/// An origin that was kept, also by a version that left the secrets in it.
struct kept_origin {
  std::string source, sum;

  explicit kept_origin(const std::string& text) {
    const auto at = text.rfind(before_sum);
    source = without_secrets(std::string_view{text}.substr(0, at));
    if (at != text.npos)
      sum = text.substr(at + before_sum.size());
  }
};

/// Signatures in a URL differ from one asker to the next, and those who may read an object give it the same path.
bool comes_from(const fetch::order& what, const std::string& source) {
  const auto shown = without_secrets(source);
  return shown == without_secrets(what.source) || (!what.also.empty() && shown == without_secrets(what.also));
}

/// What the command line says, once it is known to make sense.
fetch_settings checked(fetch_settings settings) {
  const address_policy valid{settings.reading.nets};
  settings.reading.server = settings.server;
  try {
    if (!settings.server.empty())
      parse_url(settings.server);
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument{"the image server must be an http, https or file URL"};
  }
  return settings;
}

} // namespace

fetches::fetches(place& where, fetch_settings settings) : place_{where}, settings_{checked(std::move(settings))} {
  if (!settings_.agent.url.empty())
    reporter_.emplace(settings_.agent);
}

fetches::~fetches() = default;

void fetches::wait_for(const dataset_id& image, const fetch::order& what, const rpc::asker& who) {
  lock held{mutex_};
  const auto on = join(held, image, what, who);
  try {
    const auto followed = reporter_ && !who.job().empty() ? reporter_->follow(who.job(), on->progress) : nullptr;
    bool left = false;
    while (!on->ended && !left) {
      changed_.wait_for(held, between_questions);
      left = who.gone();
    }
  } catch (...) {
    leave(held, on);
    throw;
  }
  leave(held, on);
  if (!on->ended)
    throw std::runtime_error{"cancelled"};
  if (on->trouble)
    std::rethrow_exception(on->trouble);
}

std::shared_ptr<fetches::one> fetches::join(lock& held, const dataset_id& image, const fetch::order& what,
                                            const rpc::asker& who) {
  for (;;) {
    const auto at = running_.find(image);
    auto on = at == running_.end() ? begin(image, what) : at->second;
    if (!comes_from(what, on->order.source) || on->order.sha256 != what.sha256)
      throw std::runtime_error{image.text() + " is being fetched from elsewhere: " + without_secrets(on->order.source)};
    if (!on->stop) {
      ++on->waiting;
      return on;
    }
    // It is being given up: soon its place is free.
    changed_.wait_for(held, between_questions);
    if (who.gone())
      throw std::runtime_error{"cancelled"};
  }
}

std::shared_ptr<fetches::one> fetches::begin(const dataset_id& image, const fetch::order& what) {
  const auto running = std::ranges::count_if(running_, [](const auto& each) { return each.second->started; });
  if (running_.size() - static_cast<std::size_t>(running) >= settings_.queue)
    throw std::runtime_error{"too many images are being fetched"};
  auto on = std::make_shared<one>(image, what, next_turn_++);
  on->progress->wait();
  running_.emplace(image, on);
  start_due();
  return on;
}

/// Starts those that wait, as far as there are places.
void fetches::start_due() noexcept {
  while (auto* due = next_due())
    start(*due);
}

/// Null if none waits that has a place.
fetches::one* fetches::next_due() const noexcept {
  one* due = nullptr;
  for (const auto& [image, on] : running_)
    if (!on->started && (!due || on->turn < due->turn) && has_place(*on))
      due = on.get();
  return due;
}

/// Half of the places are for other hosts, so that a slow server leaves room for them.
bool fetches::has_place(const one& waiting) const noexcept {
  std::size_t all = 0, from_same_host = 0;
  for (const auto& [image, on] : running_) {
    all += on->runs() ? 1 : 0;
    from_same_host += on->runs() && on->host == waiting.host && !waiting.host.empty() ? 1 : 0;
  }
  return all < settings_.most && from_same_host < std::max<std::size_t>(settings_.most / 2, 1);
}

/// A fetch whose thread cannot be made has ended.
void fetches::start(one& on) noexcept {
  on.started = true;
  on.progress->begin();
  try {
    on.thread = std::thread{[this, &on] { work(on); }};
  } catch (...) {
    on.trouble = std::current_exception();
    on.ended = true;
    changed_.notify_all();
  }
}

/// The last one to leave ends what still runs, and clears up.
void fetches::leave(lock& held, const std::shared_ptr<one>& of) noexcept {
  if (--of->waiting > 0)
    return;
  of->stop = true;
  changed_.wait(held, [&] { return of->ended || !of->started; });
  if (of->thread.joinable())
    of->thread.join(); // it has nothing left to do
  running_.erase(of->image);
  changed_.notify_all();
}

void fetches::work(one& on) noexcept {
  std::exception_ptr trouble;
  try {
    fill(on, on.image);
  } catch (...) {
    trouble = std::current_exception();
  }
  std::lock_guard held{mutex_};
  on.trouble = trouble;
  on.ended = true;
  start_due();
  changed_.notify_all();
}

/// An image of the same source is what was asked for; one of another is in the way.
bool fetches::is_there(const dataset_id& image, const fetch::order& what) const {
  const auto& store = place_.store();
  if (!store.find(image))
    return false;
  const kept_origin origin{store.origin_of(image)};
  if (comes_from(what, origin.source) && origin.sum.starts_with(what.sha256))
    return true;
  const auto where = origin.source.empty() ? "elsewhere" : origin_of(origin.source, origin.sum);
  throw std::runtime_error{image.text() + " exists already, from " + where};
}

void fetches::fill(one& on, const dataset_id& image) {
  if (is_there(image, on.order))
    return;
  auto& store = place_.store();
  auto limits = settings_.limits;
  limits.zfs_streams = store.takes_zfs_streams();
  limits.space = [&store] { return store.free_space(); };
  limits.keep_free = store.space().reserve();
  const auto file = store.staging() / ("fetch-" + std::to_string(next_file_++));
  const auto stop = [&on] { return on.stop.load(); };
  try {
    fetch from{on.order, limits, settings_.reading, stop, *on.progress};
    const auto format = from.run(file);
    on.progress->convert();
    if (from.space() > store.free_space())
      throw std::runtime_error{"no space left on device"};
    store.import_image(file, format, image, origin_of(from.source(), from.sum()), stop);
    if (format == "zfs")
      expect_size(image);
  } catch (...) {
    std::filesystem::remove(file);
    throw;
  }
}

/// The size of a volume that was received is known only when it is there.
void fetches::expect_size(const dataset_id& image) const {
  const auto facts = place_.store().find(image);
  if (!facts || facts->size <= settings_.limits.max_size)
    return;
  place_.store().destroy(image);
  throw std::runtime_error{"the image is larger than " + std::to_string(settings_.limits.max_size / megabyte) +
                           " MB, the most there may be"};
}

std::shared_ptr<const fetch_progress> fetches::progress_of(const dataset_id& image) const {
  std::lock_guard held{mutex_};
  const auto at = running_.find(image);
  return at == running_.end() ? nullptr : at->second->progress;
}

std::vector<std::pair<dataset_id, std::shared_ptr<const fetch_progress>>> fetches::running() const {
  std::lock_guard held{mutex_};
  std::vector<std::pair<dataset_id, std::shared_ptr<const fetch_progress>>> all;
  for (const auto& [image, on] : running_)
    all.emplace_back(image, on->progress);
  return all;
}

} // namespace mistify::agents::storage
