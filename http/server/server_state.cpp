#include "http/server/server_state.hpp"

#include "http/server/connection.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace mistify::http {

std::size_t leader_count(const server_settings& settings) {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, std::max<std::size_t>(1, settings.workers));
}

std::size_t thread_count(const server_settings& settings) {
  return std::max<std::size_t>(1, settings.workers) + leader_count(settings) - 1;
}

watch_key connection_table::next_key(int fd) {
  std::lock_guard lock{mutex_};
  generation_ = generation_ == watch_key::last ? watch_key::own + 1 : generation_ + 1;
  return {fd, generation_};
}

void connection_table::put(watch_key key, entry c) {
  std::lock_guard lock{mutex_};
  auto index = static_cast<std::size_t>(key.fd);
  if (index >= slots_.size())
    slots_.resize(index + 1);
  slots_[index] = {key.generation, std::move(c)};
  ++size_;
}

connection_table::entry connection_table::find(watch_key key) const {
  std::lock_guard lock{mutex_};
  auto index = static_cast<std::size_t>(key.fd);
  bool there = index < slots_.size() && slots_[index].generation == key.generation;
  return there ? slots_[index].held : nullptr;
}

void connection_table::erase(watch_key key) {
  std::lock_guard lock{mutex_};
  auto& s = slots_[static_cast<std::size_t>(key.fd)];
  if (s.generation != key.generation || !s.held)
    return;
  s = {}; // the caller holds the connection, so that it is not destroyed under the lock
  if (--size_ == 0)
    emptied_.notify_all();
}

std::size_t connection_table::size() const {
  std::lock_guard lock{mutex_};
  return size_;
}

std::vector<connection_table::entry> connection_table::all() const {
  std::lock_guard lock{mutex_};
  std::vector<entry> out;
  for (const auto& s : slots_)
    if (s.held)
      out.push_back(s.held);
  return out;
}

std::vector<connection_table::entry> connection_table::due(tick t, tick& next) const {
  std::lock_guard lock{mutex_};
  std::vector<entry> out;
  for (const auto& s : slots_) {
    if (!s.held)
      continue;
    if (auto d = s.held->deadline(); d <= t)
      out.push_back(s.held);
    else
      next = std::min(next, d);
  }
  return out;
}

bool connection_table::wait_until_empty(tick deadline) const {
  std::unique_lock lock{mutex_};
  auto until = std::chrono::steady_clock::time_point{std::chrono::milliseconds{deadline}};
  return emptied_.wait_until(lock, until, [this] { return size_ == 0; });
}

namespace {

answer plain_error(int status) noexcept {
  answer a;
  a.status = status;
  a.content_type = {};
  return a;
}

} // namespace

answer server_state::answer_to(std::exception_ptr error) const noexcept {
  try {
    return errors.from_exception(std::move(error));
  } catch (...) {
    return plain_error(500);
  }
}

answer server_state::answer_to(int status, std::string message) const noexcept {
  try {
    return errors.from_status(status, std::move(message));
  } catch (...) {
    return plain_error(status);
  }
}

rpc::thread_pool& server_state::threads_of(stream_kind kind) noexcept {
  switch (kind) {
  case stream_kind::data: return downloads;
  case stream_kind::page: return pages;
  case stream_kind::log: return logs;
  }
  return downloads;
}

std::shared_ptr<const tls_context> server_state::tls() const {
  const std::lock_guard lock{tls_mutex_};
  return tls_;
}

void server_state::replace_tls(std::shared_ptr<const tls_context> context) {
  const std::lock_guard lock{tls_mutex_};
  tls_.swap(context);
}

server_stats server_state::stats() const {
  return {connections.size(), parked.load(),  downloading.load(), live.load(),   buffered.load(),
          requests.load(),    refused.load(), waiting.bytes(),    dropped.load()};
}

} // namespace mistify::http
