#include "rpc/fetch/url_reader.hpp"

#include "rpc/fetch/url_reader_impl.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

namespace mistify::fetching {

namespace {

constexpr int max_redirects = 10;

bool helps_to_wait(long status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

} // namespace

url_reader::impl::impl(const std::string& text, reader_settings s)
  : url{parse_url(text)}, settings{std::move(s)}, policy{settings.nets, &is_of_this_host}, curl{curl_easy_init()} {
  if (!curl)
    throw std::bad_alloc{};
  if (!settings.server.empty())
    exempt = same_origin(url, parse_url(settings.server));
}

url_reader::impl::~impl() {
  curl_easy_cleanup(curl);
}

// -- where to -------------------------------------------------------------------------------------------------------

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

bool url_reader::impl::was_redirected() const {
  return !url.is_file() && is_redirect(status()) && !head.location.empty();
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

/// It would be taken for the file.
void url_reader::impl::expect_readable() const {
  if (head.is_readable())
    return;
  constexpr std::size_t most = 40;
  auto shown = head.encoding.substr(0, most);
  std::ranges::replace_if(
    shown, [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  throw source_error{"the source sent it encoded as " + shown, false, static_cast<int>(status())};
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
    expect_readable();
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

/// The connection broke behind the last byte, and there is nothing to go on with. A source that now has less than it said
/// before has another file.
bool url_reader::impl::has_all() const {
  return !url.is_file() && status() == 416 && wanted > 0 && head.total == wanted && (size < 0 || size == wanted) &&
         (head.etag.empty() || head.etag == first.etag) && (head.modified.empty() || head.modified == first.modified);
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
    impl_->open_file();
}

void url_reader::read(std::int64_t from, const reader_sink& sink) {
  impl_->read(from, sink);
}

const std::string& url_reader::content_type() const noexcept {
  return impl_->head.type;
}

} // namespace mistify::fetching
