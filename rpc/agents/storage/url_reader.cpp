#include "rpc/agents/storage/url_reader.hpp"

#include "rpc/agents/storage/source_file.hpp"

#include <algorithm>
#include <charconv>
#include <curl/curl.h>
#include <exception>
#include <memory>
#include <mutex>

namespace mistify::agents::storage {

namespace {

bool has_scheme(std::string_view url, std::string_view scheme) {
  return url.size() > scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), url.begin(), [](char a, char b) { return a == (b | 0x20); }) &&
         url.substr(scheme.size()).starts_with("://");
}

std::string lower(std::string_view text) {
  std::string made{text};
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
    text.remove_suffix(1);
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ')
    text.remove_prefix(1);
  return text;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// What the head of an answer says of the body.
struct answer_head {
  std::int64_t length = -1, from = -1, total = -1;
  std::string validator; // by which the source knows later whether it has changed

  void take(std::string_view name, std::string_view value) {
    if (name == "content-length")
      length = number_in(value);
    else if (name == "etag" && !value.starts_with("W/"))
      validator = value;
    else if (name == "last-modified" && validator.empty())
      validator = value;
    else if (name == "content-range" && lower(value).starts_with("bytes ")) {
      from = number_in(value.substr(6));
      total = number_in(value.substr(std::min(value.find('/'), value.size() - 1) + 1));
    }
  }
};

bool helps_to_wait(long status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

bool helps_to_retry(CURLcode code) {
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_PARTIAL_FILE:
  case CURLE_OPERATION_TIMEDOUT:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_GOT_NOTHING:
  case CURLE_SSL_CONNECT_ERROR: return true;
  default: return false;
  }
}

/// The path behind a file URL.
std::string path_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed{curl_url(), &curl_url_cleanup};
  char* path = nullptr;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_PATH, &path, CURLU_URLDECODE) != CURLUE_OK)
    throw source_error{"cannot be understood: " + url, false};
  const std::unique_ptr<char, decltype(&curl_free)> freed{path, &curl_free};
  return path;
}

} // namespace

struct url_reader::impl {
  impl(std::string of, reader_settings s) : url{std::move(of)}, settings{std::move(s)}, curl{curl_easy_init()} {
    if (!curl)
      throw std::bad_alloc{};
  }
  ~impl() { curl_easy_cleanup(curl); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  std::string url;
  reader_settings settings;
  CURL* curl;
  answer_head head;
  std::string validator; // of the first go
  std::int64_t wanted = 0;
  const reader_sink* sink = nullptr;
  bool begun = false;
  std::exception_ptr trouble; // what a function of the sink threw
  char reason[CURL_ERROR_SIZE] = {};

  bool is_file() const { return has_scheme(url, "file"); }
  void prepare();
  void read(std::int64_t from, const reader_sink& to);
  void begin();
  long status() const;
  void expect_good_status() const;
  [[noreturn]] void fail(CURLcode code) const;

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
};

long url_reader::impl::status() const {
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

void url_reader::impl::expect_good_status() const {
  const auto code = status();
  if (!is_file() && code != 200 && code != 206)
    throw source_error{"unexpected http response code: " + std::to_string(code), helps_to_wait(code),
                       static_cast<int>(code)};
}

void url_reader::impl::begin() {
  expect_good_status();
  begun = true;
  const bool goes_on = is_file() ? wanted > 0 : status() == 206;
  if (goes_on && !is_file() && head.from != wanted)
    throw source_error{"the source sent another part than it was asked for", true};
  validator = head.validator;
  if (goes_on)
    sink->begin(wanted, is_file() ? -1 : head.total);
  else
    sink->begin(0, head.length);
}

std::size_t url_reader::impl::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& me = *static_cast<impl*>(self);
  const std::string_view line{data, size};
  return me.guarded([&] {
    if (line.starts_with("HTTP/"))
      me.head = {}; // of another answer: there was a redirect
    if (const auto colon = line.find(':'); colon != line.npos)
      me.head.take(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  })
           ? size
           : 0;
}

std::size_t url_reader::impl::on_data(char* data, std::size_t, std::size_t size, void* self) {
  auto& me = *static_cast<impl*>(self);
  return me.guarded([&] {
    if (!me.begun)
      me.begin();
    me.sink->data({data, size});
  })
           ? size
           : 0;
}

int url_reader::impl::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& me = *static_cast<impl*>(self);
  bool stop = false;
  return me.guarded([&] { stop = me.sink->stop && me.sink->stop(); }) && !stop ? 0 : 1;
}

void url_reader::impl::prepare() {
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "mistify-storage/" MISTIFY_VERSION);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings.connect_time.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
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

void url_reader::impl::fail(CURLcode code) const {
  if (trouble)
    std::rethrow_exception(trouble);
  if (code == CURLE_ABORTED_BY_CALLBACK)
    throw source_error{"cancelled", false};
  throw source_error{reason[0] ? reason : curl_easy_strerror(code), helps_to_retry(code)};
}

void url_reader::impl::read(std::int64_t from, const reader_sink& to) {
  prepare();
  head = {};
  begun = false;
  trouble = nullptr;
  reason[0] = 0;
  sink = &to;
  // Without a way to see whether the source is still the same, it is read from its begin.
  wanted = is_file() || !validator.empty() ? from : 0;
  const auto range = std::to_string(wanted) + '-';
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{nullptr, &curl_slist_free_all};
  if (wanted > 0) {
    curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + validator).c_str()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  }
  rpc::unique_fd file; // looked at once, so that it is not another one that is read
  if (is_file()) {
    file = open_source(path_of(url), settings.files);
    curl_easy_setopt(curl, CURLOPT_URL, ("file://" + link_to(file)).c_str());
  }
  if (const auto code = curl_easy_perform(curl); code != CURLE_OK)
    fail(code);
  if (!begun)
    begin(); // an empty body
}

url_reader::url_reader(std::string url, reader_settings settings) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (!has_scheme(url, "http") && !has_scheme(url, "https") && !has_scheme(url, "file"))
    throw std::invalid_argument{"source: must be an http, https or file URL"};
  impl_ = std::make_unique<impl>(std::move(url), std::move(settings));
}

url_reader::~url_reader() = default;

void url_reader::expect_file() const {
  if (impl_->is_file())
    open_source(path_of(impl_->url), impl_->settings.files);
}

void url_reader::read(std::int64_t from, const reader_sink& sink) {
  impl_->read(from, sink);
}

std::string file_name_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return std::string{url.substr(url.rfind('/') + 1)};
}

} // namespace mistify::agents::storage
