#include "rpc/etcd/http_session.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"
#include "rpc/etcd/curl_library.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <new>
#include <string_view>
#include <utility>

namespace mistify::rpc::etcd {

namespace {

using std::chrono::milliseconds;

/// The longest time in one poll: within it a flag is seen even if the wake-up of the poll was lost.
constexpr milliseconds longest_poll{60'000};
constexpr long keepalive_idle = 30, keepalive_interval = 10; // seconds: finds a stream whose other end vanished

const curl_library& lib() {
  return curl_library::loaded();
}

/// One request and what came back. Does not move: libcurl keeps its address.
class transfer {
public:
  transfer(const http_request& what, const session_settings& settings, bool endless)
    : easy_{lib().curl_easy_init()}, body_{what.body}, most_{settings.max_answer}, endless_{endless} {
    if (!easy_)
      throw std::bad_alloc{};
    for (const auto& line : what.headers)
      add_header(line.c_str());
    add_header("Expect:"); // etcd needs no 100 Continue; waiting for one costs a second
    prepare(what);
    secure(settings);
  }
  ~transfer() {
    lib().curl_easy_cleanup(easy_);
    lib().curl_slist_free_all(headers_);
  }
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  CURL* easy() const noexcept { return easy_; }
  void end(CURLcode code) noexcept { ended_ = true, code_ = code; }
  bool ended() const noexcept { return ended_; }
  bool has_news() const noexcept { return ended_ || !in_.empty(); }
  CURLcode code() const noexcept { return code_; }
  bool too_large() const noexcept { return too_large_; }
  std::int64_t index() const noexcept { return index_; }
  std::string take() { return std::exchange(in_, {}); }

  std::string why() const {
    if (too_large_)
      return "the answer is too large";
    return reason_[0] != 0 ? reason_.data() : lib().curl_easy_strerror(code_);
  }

  long status() const {
    long code = 0;
    lib().curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

private:
  void add_header(const char* line) {
    auto* longer = lib().curl_slist_append(headers_, line);
    if (!longer)
      throw std::bad_alloc{};
    headers_ = longer;
  }

  void prepare(const http_request& what) {
    lib().curl_easy_setopt(easy_, CURLOPT_URL, what.url.c_str());
    lib().curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    if (!body_.empty()) {
      lib().curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body_.data());
      lib().curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
    }
    lib().curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    lib().curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, reason_.data());
    lib().curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
    lib().curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &transfer::on_data);
    lib().curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    lib().curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &transfer::on_header);
    lib().curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    lib().curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    lib().curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L); // an end does not wait for a name that still resolves
  }

  void secure(const session_settings& settings) {
    lib().curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    lib().curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    lib().curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    lib().curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!settings.ca.empty()) {
      lib().curl_easy_setopt(easy_, CURLOPT_CAINFO, settings.ca.c_str());
      lib().curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
    }
    lib().curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
    if (!endless_)
      lib().curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.count()));
    lib().curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    lib().curl_easy_setopt(easy_, CURLOPT_TCP_KEEPIDLE, keepalive_idle);
    lib().curl_easy_setopt(easy_, CURLOPT_TCP_KEEPINTVL, keepalive_interval);
  }

  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self) {
    auto& me = *static_cast<transfer*>(self);
    if (me.in_.size() + size > me.most_) {
      me.too_large_ = true;
      return 0;
    }
    me.in_.append(data, size);
    return size;
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    constexpr std::string_view name = "x-etcd-index:";
    const std::string_view line{data, size};
    if (line.size() > name.size() && text::equal_ignoring_case(line.substr(0, name.size()), name)) {
      const auto number = text::trim(line.substr(name.size()));
      auto& index = static_cast<transfer*>(self)->index_;
      std::from_chars(number.data(), number.data() + number.size(), index);
    }
    return size;
  }

  CURL* easy_;
  curl_slist* headers_ = nullptr;
  const std::string body_;
  const std::size_t most_;
  const bool endless_;
  std::string in_;
  bool ended_ = false, too_large_ = false;
  CURLcode code_ = CURLE_OK;
  std::int64_t index_ = 0;
  std::array<char, CURL_ERROR_SIZE> reason_{};
};

failure failure_of(const transfer& ended) {
  if (ended.too_large())
    return {errc::too_large, ended.why()};
  const auto code = ended.code() == CURLE_OPERATION_TIMEDOUT ? errc::deadline_exceeded : errc::unavailable;
  return {code, ended.why()};
}

} // namespace

struct http_session::impl {
  explicit impl(session_settings s) : settings{std::move(s)} {
    multi = lib().curl_multi_init();
    if (!multi)
      throw std::bad_alloc{};
    lib().curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 8L);
  }
  ~impl() {
    for (auto& [number, stream] : streams)
      lib().curl_multi_remove_handle(multi, stream->easy());
    lib().curl_multi_cleanup(multi);
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  /// Moves bytes; waits for some at most that long.
  void advance(milliseconds longest) {
    int running = 0;
    lib().curl_multi_perform(multi, &running);
    collect_ended();
    if (longest.count() <= 0 || done())
      return;
    lib().curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min(longest, longest_poll).count()), nullptr);
    lib().curl_multi_perform(multi, &running);
    collect_ended();
  }

  void collect_ended() {
    int left = 0;
    while (const auto* message = lib().curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      char* whose = nullptr;
      lib().curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &whose);
      static_cast<transfer*>(static_cast<void*>(whose))->end(message->data.result);
    }
  }

  /// Whether whoever waits has what it waits for.
  bool done() const {
    if (present)
      return present->ended() || cancelled;
    return woken || std::ranges::any_of(streams, [](const auto& s) { return s.second->has_news(); });
  }

  const session_settings settings;
  CURLM* multi = nullptr;
  const transfer* present = nullptr; // the request that is waited for
  std::map<std::uint64_t, std::unique_ptr<transfer>> streams;
  std::uint64_t next = 0;
  std::atomic<bool> woken{false}, cancelled{false};
};

http_session::http_session(session_settings settings) : impl_{std::make_unique<impl>(std::move(settings))} {}
http_session::~http_session() = default;

http_reply http_session::send(const http_request& what) {
  auto& in = *impl_;
  transfer one{what, in.settings, false};
  lib().curl_multi_add_handle(in.multi, one.easy());
  in.present = &one;
  while (!one.ended() && !in.cancelled)
    in.advance(longest_poll);
  in.present = nullptr;
  lib().curl_multi_remove_handle(in.multi, one.easy());
  if (!one.ended())
    throw failure{errc::cancelled, "the request was given up"};
  if (one.code() != CURLE_OK)
    throw failure_of(one);
  return {one.status(), one.take(), one.index()};
}

std::uint64_t http_session::open_stream(const http_request& what) {
  auto stream = std::make_unique<transfer>(what, impl_->settings, true);
  lib().curl_multi_add_handle(impl_->multi, stream->easy());
  impl_->streams.emplace(++impl_->next, std::move(stream));
  return impl_->next;
}

void http_session::close_stream(std::uint64_t number) {
  const auto found = impl_->streams.find(number);
  if (found == impl_->streams.end())
    return;
  lib().curl_multi_remove_handle(impl_->multi, found->second->easy());
  impl_->streams.erase(found);
}

http_session::received http_session::take(std::uint64_t number) {
  const auto found = impl_->streams.find(number);
  if (found == impl_->streams.end())
    return {.bytes = {}, .ended = true, .why = "closed"};
  auto& stream = *found->second;
  received out{stream.take(), stream.ended(), stream.status(), stream.index(), {}};
  if (out.ended && stream.code() != CURLE_OK)
    out.why = stream.why();
  if (out.ended)
    close_stream(number);
  return out;
}

void http_session::wait(std::chrono::milliseconds longest) {
  auto& in = *impl_;
  const auto end = std::chrono::steady_clock::now() + longest;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    in.advance(left);
    if (in.done() || left.count() <= 0)
      break;
  }
  in.woken = false;
}

void http_session::wake() noexcept {
  impl_->woken = true;
  lib().curl_multi_wakeup(impl_->multi);
}

void http_session::cancel(bool now) noexcept {
  impl_->cancelled = now;
  lib().curl_multi_wakeup(impl_->multi);
}

} // namespace mistify::rpc::etcd
