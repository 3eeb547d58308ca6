#include "rpc/fetch/file_fetch.hpp"

#include "rpc/fetch/sum_beside.hpp"
#include "rpc/fetch/units.hpp"
#include "rpc/fetch/wrong_content.hpp"

#include <algorithm>

namespace mistify::fetching {

namespace {

constexpr std::uint64_t between_looks_at_space = 64 * megabyte;

[[noreturn]] void too_large(std::uint64_t max_size) {
  throw std::runtime_error{"the image is larger than " + std::to_string(max_size / megabyte) +
                           " MB, the most there may be"};
}

[[noreturn]] void no_space() {
  throw std::runtime_error{"no space left on device"};
}

patience patience_of(const fetch_limits& limits) {
  return {limits.tries, limits.first_pause, limits.longest_pause};
}

} // namespace

file_fetch::file_fetch(order what, const fetch_limits& limits, reader_settings reading, content_rules rules,
                       std::function<bool()> stop, fetch_progress& progress)
  : order_{std::move(what)}, limits_{limits}, reading_{std::move(reading)}, rules_{std::move(rules)},
    stop_{std::move(stop)}, progress_{progress} {
  parse_url(order_.source);
  if (!order_.also.empty())
    parse_url(order_.also);
}

bool file_fetch::stop() const {
  if (std::chrono::steady_clock::now() > end_)
    throw std::runtime_error{"the image did not come within " +
                             std::to_string(std::chrono::ceil<std::chrono::minutes>(limits_.time).count()) +
                             " minutes"};
  return stop_();
}

void file_fetch::look_for_sum() {
  wanted_sum_ = order_.sha256;
  if (!wanted_sum_.empty())
    return;
  auto found = find_sum_beside(source_, patience_of(limits_), reading_, [this] { return stop(); });
  wanted_sum_ = std::move(found.sum);
  progress_.note(found.note);
}

void file_fetch::begin(std::int64_t from, std::int64_t total) {
  if (from != received_ || !unpacker_) {
    received_ = 0;
    sum_.restart();
    file_->restart();
    unpacker_.emplace([this](std::string_view unpacked) { store(unpacked); });
    head_.clear();
    judged_ = false;
    ask_for_space();
  }
  if (total >= 0 && static_cast<std::uint64_t>(total) > limits_.max_size)
    too_large(limits_.max_size);
  if (total >= 0 && file_->space() + static_cast<std::uint64_t>(total - received_) > room_until_)
    no_space();
  total_ = total;
  progress_.receive(received_, total_);
}

void file_fetch::take(std::string_view bytes) {
  sum_.add(bytes);
  unpacker_->add(bytes);
  received_ += static_cast<std::int64_t>(bytes.size());
  progress_.receive(received_, total_);
}

void file_fetch::store(std::string_view unpacked) {
  if (!judged_)
    look_at_head(unpacked);
  file_->add(unpacked);
  if (file_->size() > limits_.max_size)
    too_large(limits_.max_size);
  expect_space();
}

void file_fetch::ask_for_space() {
  asked_at_ = file_->space();
  const auto more = limits_.space ? limits_.space() : UINT64_MAX;
  room_until_ = more > UINT64_MAX - asked_at_ ? UINT64_MAX : asked_at_ + more;
}

/// Others write meanwhile, too, so it is asked for again and again.
void file_fetch::expect_space() {
  if (file_->space() > room_until_)
    no_space();
  if (file_->space() - asked_at_ >= between_looks_at_space)
    ask_for_space();
}

void file_fetch::look_at_head(std::string_view unpacked) {
  head_ += unpacked.substr(0, rules_.head - head_.size());
  if (head_.size() == rules_.head)
    judge_head();
}

void file_fetch::judge_head() {
  judged_ = true;
  rules_.judge(head_);
}

void file_fetch::compare() const {
  if (!wanted_sum_.empty() && sum_text_ != wanted_sum_)
    throw std::runtime_error{"the sha256 of " + without_secrets(source_) + " is " + sum_text_ + ", and not " +
                             wanted_sum_};
}

void file_fetch::read(const std::string& source) {
  source_ = source;
  patient_reader from{source, patience_of(limits_), reading_, [this] { return stop(); }};
  from.expect_file(); // before its sum: what is told should be about what was asked for
  look_for_sum();
  unpacker_.reset();
  from.read([this](std::int64_t begin_at, std::int64_t total) { begin(begin_at, total); },
            [this](std::string_view bytes) { take(bytes); });
  unpacker_->end();
  if (!judged_)
    judge_head();
  file_->finish();
  sum_text_ = sum_.hex();
  compare();
}

/// The server has no such image there, or answers with a page instead.
bool file_fetch::is_elsewhere(const std::exception& trouble) const {
  if (order_.also.empty() || source_ != order_.source)
    return false;
  if (const auto* e = dynamic_cast<const source_error*>(&trouble))
    return e->status() >= 400 && e->status() < 500;
  const auto* content = dynamic_cast<const wrong_content*>(&trouble);
  return content && content->is_page();
}

void file_fetch::run(const std::filesystem::path& file) {
  end_ = std::chrono::steady_clock::now() + limits_.time;
  file_.emplace(file, limits_.keep_free);
  try {
    read(order_.source);
  } catch (const std::exception& e) {
    if (!is_elsewhere(e))
      throw;
    read(order_.also);
  }
}

void expect_size(std::uint64_t size, std::uint64_t most) {
  if (size > most)
    too_large(most);
}

} // namespace mistify::fetching
