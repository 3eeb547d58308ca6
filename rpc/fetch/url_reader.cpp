#include "rpc/fetch/url_reader.hpp"

#include "rpc/base/process.hpp"
#include "rpc/fetch/address_policy.hpp"
#include "rpc/fetch/answer_head.hpp"
#include "rpc/fetch/source_file.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <exception>
#include <memory>
#include <mutex>
#include <new>

namespace mistify::fetching {

namespace {

constexpr int max_redirects = 10;
constexpr std::size_t max_head = 256 * 1024;

bool helps_to_wait(long status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// The path behind a file URL.
std::string path_of(const url_parts& url) {
  int size = 0;
  const std::unique_ptr<char, decltype(&curl_free)> path{
    curl_easy_unescape(nullptr, url.path.c_str(), static_cast<int>(url.path.size()), &size), &curl_free};
  if (!path)
    throw std::bad_alloc{};
  std::string text{path.get(), static_cast<std::size_t>(size)};
  if (std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
    throw source_error{"the path of the source has control characters", false};
  return text;
}

/// The body shows that the answer is not the part that was asked for.
class other_version {};

} // namespace

bool helps_to_retry(int code) noexcept {
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_PARTIAL_FILE:
  case CURLE_OPERATION_TIMEDOUT:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_GOT_NOTHING:
  case CURLE_HTTP2: // an error of the connection, GOAWAY among them
  case CURLE_HTTP2_STREAM:
  case CURLE_HTTP3:
  case CURLE_QUIC_CONNECT_ERROR:
  case CURLE_SSL_SHUTDOWN_FAILED:
  case CURLE_SSL_CONNECT_ERROR: return true;
  default: return false;
  }
}

struct url_reader::impl {
  impl(const std::string& text, reader_settings s)
    : url{parse_url(text)}, settings{std::move(s)}, policy{settings.nets, &is_of_this_host}, curl{curl_easy_init()} {
    if (!curl)
      throw std::bad_alloc{};
    if (!settings.server.empty())
      exempt = same_origin(url, parse_url(settings.server));
  }
  ~impl() { curl_easy_cleanup(curl); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  const url_parts url;
  const reader_settings settings;
  const address_policy policy;
  CURL* curl;
  bool exempt = false; // the URL is the image server's own
  const reader_sink* sink = nullptr;

  // Of the version that is being read:
  answer_head first;
  std::int64_t size = -1, at = 0;
  bool ranges_refused = false;

  // Of one answer:
  answer_head head;
  std::int64_t wanted = 0;
  bool begun = false, trusted = false;
  unsigned sockets = 0;
  std::string_view objection;
  std::exception_ptr trouble; // what a function of the sink threw
  char reason[CURL_ERROR_SIZE] = {};

  void read(std::int64_t from, const reader_sink& to);
  void follow();
  void ask(const url_parts& where);
  bool was_redirected() const { return !url.is_file() && is_redirect(status()) && !head.location.empty(); }
  url_parts next_after(const url_parts& here) const;
  void prepare(const url_parts& where);
  void begin();
  void begin_whole();
  void take(std::string_view bytes);
  void expect_all() const;
  bool has_all() const;
  long status() const;
  void expect_good_status() const;
  [[noreturn]] void fail(CURLcode code, const url_parts& where) const;
  curl_socket_t open_socket(const curl_sockaddr& to);

  template <class F>
  bool guarded(F f) noexcept {
    try {
      f();
      return true;
    } catch (...) {
      trouble = std::current_exception();
      return false;
    }
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* to);
};

// -- where to -------------------------------------------------------------------------------------------------------

curl_socket_t url_reader::impl::open_socket(const curl_sockaddr& to) {
  const auto address = ip_address::of(to.addr);
  const auto found = address && !trusted ? policy.objection(*address) : std::nullopt;
  if (!address || found) {
    objection = found.value_or("no IP");
    return CURL_SOCKET_BAD;
  }
  ++sockets;
  return ::socket(to.family, to.socktype | SOCK_CLOEXEC, to.protocol);
}

curl_socket_t url_reader::impl::on_socket(void* self, curlsocktype, curl_sockaddr* to) {
  auto& me = *static_cast<impl*>(self);
  curl_socket_t made = CURL_SOCKET_BAD;
  return me.guarded([&] { made = me.open_socket(*to); }) ? made : CURL_SOCKET_BAD;
}

url_parts url_reader::impl::next_after(const url_parts& here) const {
  try {
    auto next = resolve_url(here, head.location);
    if (next.is_file())
      throw redirect_refused{"the source redirects to a file"};
    if (here.scheme == "https" && next.scheme != "https")
      throw redirect_refused{"the source redirects from https to http"};
    if (next.user.empty() && next.password.empty() && same_origin(next, url)) {
      next.user = url.user;
      next.password = url.password;
    }
    return next;
  } catch (const std::invalid_argument&) {
    throw redirect_refused{"the source redirects to what is no http or https URL"};
  }
}

/// Each redirect is a request of its own, so that each is judged.
void url_reader::impl::follow() {
  trusted = exempt;
  ask(url);
  url_parts here;
  for (int redirects = 0; was_redirected(); ++redirects) {
    if (redirects == max_redirects)
      throw redirect_refused{"the source redirects too often"};
    auto next = next_after(redirects == 0 ? url : here);
    trusted = trusted && same_origin(next, url);
    here = std::move(next);
    ask(here);
  }
}

// -- the answer -----------------------------------------------------------------------------------------------------

long url_reader::impl::status() const {
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

void url_reader::impl::expect_good_status() const {
  const auto code = status();
  if (code == 200 || code == 206)
    return;
  if (wanted > 0 && (!helps_to_wait(code) || code == 501))
    throw other_version{}; // it may be about the range
  throw source_error{"unexpected http response code: " + std::to_string(code), helps_to_wait(code),
                     static_cast<int>(code)};
}

void url_reader::impl::begin_whole() {
  first = head;
  at = 0;
  size = status() == 206 ? head.total : head.length;
  sink->begin(0, size);
}

void url_reader::impl::begin() {
  if (url.is_file()) {
    at = wanted;
    sink->begin(wanted, wanted > 0 ? -1 : head.length);
  } else {
    expect_good_status();
    const bool part = status() == 206;
    if (part && (head.from != wanted || (wanted > 0 && !goes_on_with(first, size, head)))) {
      if (wanted > 0)
        throw other_version{};
      throw source_error{"the source sent a part that it was not asked for", true};
    }
    if (part && wanted > 0) {
      at = wanted;
      size = head.total;
      sink->begin(wanted, size);
    } else {
      begin_whole();
    }
  }
  begun = true;
}

void url_reader::impl::take(std::string_view bytes) {
  if (!begun)
    begin();
  at += static_cast<std::int64_t>(bytes.size());
  if (!url.is_file() && size >= 0 && at > size)
    throw other_version{};
  sink->data(bytes);
}

/// Some servers send ranges of a size that they like.
void url_reader::impl::expect_all() const {
  if (!url.is_file() && size >= 0 && at < size)
    throw source_error{"the source sent a part only", true};
}

/// The connection broke behind the last byte, and there is nothing to go on with.
bool url_reader::impl::has_all() const {
  return !url.is_file() && status() == 416 && wanted > 0 && head.total == wanted &&
         (head.etag.empty() || head.etag == first.etag) && (head.modified.empty() || head.modified == first.modified);
}

std::size_t url_reader::impl::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& me = *static_cast<impl*>(self);
  return me.guarded([&] {
    me.head.take({data, size});
    if (me.head.size > max_head)
      throw source_error{"the head of the answer is too large", false};
    if (!me.head.length_is_valid)
      throw source_error{"the source says no single length of its answer", false};
  })
           ? size
           : 0;
}

std::size_t url_reader::impl::on_data(char* data, std::size_t, std::size_t size, void* self) {
  auto& me = *static_cast<impl*>(self);
  if (me.was_redirected() || me.has_all())
    return 0; // a page for people
  return me.guarded([&] { me.take({data, size}); }) ? size : 0;
}

int url_reader::impl::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& me = *static_cast<impl*>(self);
  bool stop = false;
  return me.guarded([&] { stop = me.sink->stop && me.sink->stop(); }) && !stop ? 0 : 1;
}

// -- asking ---------------------------------------------------------------------------------------------------------

void url_reader::impl::prepare(const url_parts& where) {
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, where.text().c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, url.is_file() ? "file" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");         // also none of the environment
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L); // an older one was judged for another URL
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &impl::on_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, this);
  if (!where.user.empty() || !where.password.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, where.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, where.password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "mistify/" MISTIFY_VERSION);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings.connect_time.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(std::max(settings.least_rate, 1U)));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.stall_time.count()));
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.ca_file.empty())
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &impl::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &impl::on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &impl::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
}

void url_reader::impl::fail(CURLcode code, const url_parts& where) const {
  if (trouble)
    std::rethrow_exception(trouble);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    throw cancelled{};
  if (sockets == 0 && !objection.empty()) {
    const auto what =
      where.host + ": its address is " + std::string{objection} + ", and in no network that --allow-net names";
    if (&where != &url)
      throw redirect_refused{what};
    throw source_refused{what};
  }
  throw source_error{reason[0] ? reason : curl_easy_strerror(code), helps_to_retry(code)};
}

void url_reader::impl::ask(const url_parts& where) {
  prepare(where);
  head = {};
  begun = false;
  sockets = 0;
  objection = {};
  trouble = nullptr;
  reason[0] = 0;
  const auto range = std::to_string(wanted) + '-';
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{nullptr, &curl_slist_free_all};
  if (wanted > 0) {
    curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + first.validator()).c_str()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  }
  rpc::unique_fd file; // looked at once, so that it is not another one that is read
  if (url.is_file()) {
    file = open_source(path_of(url), settings.files);
    curl_easy_setopt(curl, CURLOPT_URL, ("file://" + link_to(file)).c_str());
  }
  rpc::block_pipe_signal(); // OpenSSL writes without MSG_NOSIGNAL
  const auto code = curl_easy_perform(curl);
  const bool ended = code == CURLE_OK || (code == CURLE_WRITE_ERROR && !trouble);
  if (!ended)
    fail(code, where);
  if (was_redirected() || has_all())
    return;
  if (!begun)
    begin(); // an empty body
  expect_all();
}

void url_reader::impl::read(std::int64_t from, const reader_sink& to) {
  sink = &to;
  // Without a way to see whether the source is still the same, it is read from its begin.
  wanted = url.is_file() || (!ranges_refused && !first.validator().empty()) ? from : 0;
  try {
    return follow();
  } catch (const other_version&) {
    if (wanted == 0)
      throw source_error{"the source sent more than it said", true};
  }
  ranges_refused = true;
  wanted = 0;
  try {
    follow();
  } catch (const other_version&) {
    throw source_error{"the source sent more than it said", true};
  }
}

url_reader::url_reader(const std::string& url, reader_settings settings) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  impl_ = std::make_unique<impl>(url, std::move(settings));
}

url_reader::~url_reader() = default;

void url_reader::expect_file() const {
  if (impl_->url.is_file())
    open_source(path_of(impl_->url), impl_->settings.files);
}

void url_reader::read(std::int64_t from, const reader_sink& sink) {
  impl_->read(from, sink);
}

const std::string& url_reader::content_type() const noexcept {
  return impl_->head.type;
}

} // namespace mistify::fetching
