#include "rpc/agents/storage/fetch.hpp"

#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/agents/storage/units.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace mistify::agents::storage {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_sum_file = 64 * 1024;

[[noreturn]] void too_large(std::uint64_t max_size) {
  throw std::runtime_error{"the image is larger than " + std::to_string(max_size / megabyte) +
                           " MB, the most there may be"};
}

bool is_absent(const source_error& e) {
  return e.status() == 404 || e.status() == 403 || e.status() == 410;
}

} // namespace

void fetch_progress::receive(std::int64_t bytes, std::int64_t total) noexcept {
  bytes_ = bytes;
  total_ = total;
}

std::string fetch_progress::text() const {
  if (converting_)
    return "converting";
  const std::int64_t bytes = bytes_, total = total_;
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin_;
  const auto in_mb = [](double n) { return n / static_cast<double>(megabyte); };
  char text[96];
  const auto rate = in_mb(static_cast<double>(bytes)) / std::max(time.count(), 0.001);
  if (total >= 0)
    std::snprintf(text, sizeof text, "fetching: %.0f of %.0f MB, %.1f MB/s", in_mb(static_cast<double>(bytes)),
                  in_mb(static_cast<double>(total)), rate);
  else
    std::snprintf(text, sizeof text, "fetching: %.0f MB, %.1f MB/s", in_mb(static_cast<double>(bytes)), rate);
  return text;
}

fetch::fetch(order what, const fetch_limits& limits, reader_settings reading, std::function<bool()> stop,
             fetch_progress& progress)
  : order_{std::move(what)}, limits_{limits}, reading_{std::move(reading)}, stop_{std::move(stop)}, progress_{
                                                                                                      progress} {
  const url_reader valid{order_.source, reading_};
}

void fetch::pause(milliseconds time) const {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    if (stop_())
      throw source_error{"cancelled", false};
    std::this_thread::sleep_for(std::min(time, milliseconds{50}));
  }
}

void fetch::read_in_goes(url_reader& from, const reader_sink& sink) {
  auto wait = limits_.first_pause;
  for (unsigned tries = 1;; ++tries) {
    const auto before = received_;
    try {
      return from.read(received_, sink);
    } catch (const source_error& e) {
      if (!e.again())
        throw;
      if (received_ > before) {
        tries = 1;
        wait = limits_.first_pause;
      }
      if (tries >= limits_.tries)
        throw std::runtime_error{std::string{e.what()} + ", " + std::to_string(tries) + " times"};
    }
    pause(wait);
    wait = std::min(wait * 2, limits_.longest_pause);
  }
}

/// Beside the source lies who made it says it is. That there is none is no fault; that it cannot be read is one.
void fetch::look_for_sum() {
  const auto path = order_.source.substr(0, order_.source.find_first_of("?#"));
  std::string text;
  const reader_sink sink{[&](std::int64_t, std::int64_t) { text.clear(); },
                         [&](std::string_view bytes) {
                           if (bytes.size() > max_sum_file - text.size())
                             throw std::runtime_error{path + ".sha256: is too large"};
                           text += bytes;
                         },
                         stop_};
  try {
    url_reader beside{path + ".sha256", reading_};
    read_in_goes(beside, sink);
  } catch (const source_error& e) {
    if (!is_absent(e))
      throw;
    return;
  }
  order_.sha256 = find_sha256(text, file_name_of(path)).value_or("");
}

void fetch::begin(std::int64_t from, std::int64_t total) {
  if (from != received_ || !unpacker_) {
    received_ = 0;
    sum_.restart();
    file_->restart();
    unpacker_.emplace([this](std::string_view unpacked) { store(unpacked); });
  }
  if (total >= 0 && static_cast<std::uint64_t>(total) > limits_.max_size)
    too_large(limits_.max_size);
  if (total >= 0 && static_cast<std::uint64_t>(total) > limits_.space)
    throw std::runtime_error{"no space left on device"};
  total_ = total;
  progress_.receive(received_, total_);
}

void fetch::take(std::string_view bytes) {
  sum_.add(bytes);
  unpacker_->add(bytes);
  received_ += static_cast<std::int64_t>(bytes.size());
  progress_.receive(received_, total_);
}

void fetch::store(std::string_view unpacked) {
  file_->add(unpacked);
  if (file_->size() > limits_.max_size)
    too_large(limits_.max_size);
  if (file_->space() > limits_.space)
    throw std::runtime_error{"no space left on device"};
}

void fetch::compare() {
  sum_text_ = sum_.hex();
  if (!order_.sha256.empty() && sum_text_ != order_.sha256)
    throw std::runtime_error{"the sha256 of " + order_.source + " is " + sum_text_ + ", and not " + order_.sha256};
}

std::string fetch::run(const std::filesystem::path& file) {
  url_reader source{order_.source, reading_};
  source.expect_file(); // before its sum: what is told should be about what was asked for
  if (order_.sha256.empty())
    look_for_sum();
  file_.emplace(file, limits_.keep_free);
  const reader_sink sink{[this](std::int64_t from, std::int64_t total) { begin(from, total); },
                         [this](std::string_view bytes) { take(bytes); }, stop_};
  read_in_goes(source, sink);
  unpacker_->end();
  file_->finish();
  compare();
  return format_of_image(file, limits_.max_size);
}

std::string format_of_image(const std::filesystem::path& file, std::uint64_t max_size) {
  if (std::filesystem::file_size(file) == 0)
    throw std::runtime_error{"the image is empty"};
  const auto header = read_qcow2(file);
  if (!header)
    return "raw";
  if (!header->backing.empty() || header->external_data)
    throw std::runtime_error{"the image needs another file, which is not allowed"};
  if (header->encrypted)
    throw std::runtime_error{"the image is encrypted"};
  if (header->size > max_size)
    too_large(max_size);
  return "qcow2";
}

} // namespace mistify::agents::storage
