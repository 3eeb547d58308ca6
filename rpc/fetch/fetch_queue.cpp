#include "rpc/fetch/fetch_queue.hpp"

#include "rpc/base/thread_name.hpp"
#include "rpc/fetch/address_policy.hpp"
#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <thread>

namespace mistify::fetching {

namespace {

/// "" for a source that is no URL.
std::string host_of(const std::string& source) {
  return source.find("://") == source.npos ? std::string{} : parse_url(source).host;
}

} // namespace

struct fetch_queue::one {
  one(std::string id, file_fetch::order what, std::uint64_t number)
    : image{std::move(id)}, order{std::move(what)}, host{host_of(order.source)}, turn{number} {}

  const std::string image;
  const file_fetch::order order;
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

/// Signatures in a URL differ from one asker to the next, and those who may read an object give it the same path.
bool comes_from(const file_fetch::order& what, const std::string& source) {
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

fetch_queue::fetch_queue(fetch_settings settings, fill_function fill)
  : settings_{checked(std::move(settings))}, fill_{std::move(fill)} {
  if (!settings_.agent.url.empty())
    reporter_.emplace(settings_.agent);
}

fetch_queue::~fetch_queue() = default;

void fetch_queue::wait_for(const std::string& image, const file_fetch::order& what, const rpc::asker& who) {
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

std::shared_ptr<fetch_queue::one> fetch_queue::join(lock& held, const std::string& image, const file_fetch::order& what,
                                                    const rpc::asker& who) {
  for (;;) {
    const auto at = running_.find(image);
    auto on = at == running_.end() ? begin(image, what) : at->second;
    if (!comes_from(what, on->order.source) || on->order.sha256 != what.sha256)
      throw std::runtime_error{image + " is being fetched from elsewhere: " + without_secrets(on->order.source)};
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

std::shared_ptr<fetch_queue::one> fetch_queue::begin(const std::string& image, const file_fetch::order& what) {
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
void fetch_queue::start_due() noexcept {
  while (auto* due = next_due())
    start(*due);
}

/// Null if none waits that has a place.
fetch_queue::one* fetch_queue::next_due() const noexcept {
  one* due = nullptr;
  for (const auto& [image, on] : running_)
    if (!on->started && (!due || on->turn < due->turn) && has_place(*on))
      due = on.get();
  return due;
}

/// Half of the places are for other hosts, so that a slow server leaves room for them.
bool fetch_queue::has_place(const one& waiting) const noexcept {
  std::size_t all = 0, from_same_host = 0;
  for (const auto& [image, on] : running_) {
    all += on->runs() ? 1 : 0;
    from_same_host += on->runs() && on->host == waiting.host && !waiting.host.empty() ? 1 : 0;
  }
  return all < settings_.most && from_same_host < std::max<std::size_t>(settings_.most / 2, 1);
}

/// A fetch whose thread cannot be made has ended.
void fetch_queue::start(one& on) noexcept {
  on.started = true;
  on.progress->begin();
  try {
    on.thread = std::thread{[this, &on] {
      rpc::name_thread("fetch");
      work(on);
    }};
  } catch (...) {
    on.trouble = std::current_exception();
    on.ended = true;
    changed_.notify_all();
  }
}

/// The last one to leave ends what still runs, and clears up.
void fetch_queue::leave(lock& held, const std::shared_ptr<one>& of) noexcept {
  if (--of->waiting > 0)
    return;
  of->stop = true;
  changed_.wait(held, [&] { return of->ended || !of->started; });
  if (of->thread.joinable())
    of->thread.join(); // it has nothing left to do
  running_.erase(of->image);
  changed_.notify_all();
}

void fetch_queue::work(one& on) noexcept {
  std::exception_ptr trouble;
  try {
    fill_(on.image, on.order, *on.progress, [&on] { return on.stop.load(); });
  } catch (...) {
    trouble = std::current_exception();
  }
  std::lock_guard held{mutex_};
  on.trouble = trouble;
  on.ended = true;
  start_due();
  changed_.notify_all();
}

std::shared_ptr<const fetch_progress> fetch_queue::progress_of(const std::string& image) const {
  std::lock_guard held{mutex_};
  const auto at = running_.find(image);
  return at == running_.end() ? nullptr : at->second->progress;
}

std::vector<std::pair<std::string, std::shared_ptr<const fetch_progress>>> fetch_queue::running() const {
  std::lock_guard held{mutex_};
  std::vector<std::pair<std::string, std::shared_ptr<const fetch_progress>>> all;
  for (const auto& [image, on] : running_)
    all.emplace_back(image, on->progress);
  return all;
}

// -- where images came from ------------------------------------------------------------------------------------------

image_origin image_origin::parse(const std::string& text) {
  const auto at = text.rfind(before_sum);
  image_origin read{without_secrets(std::string_view{text}.substr(0, at)), {}};
  if (at != text.npos)
    read.sum = text.substr(at + before_sum.size());
  return read;
}

std::string image_origin::text() const {
  return without_secrets(source) + std::string{before_sum} + sum;
}

bool image_origin::fits(const file_fetch::order& what) const {
  return comes_from(what, source) && sum.starts_with(what.sha256);
}

} // namespace mistify::fetching
