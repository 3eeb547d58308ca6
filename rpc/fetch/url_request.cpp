#include "rpc/base/process.hpp"
#include "rpc/fetch/source_file.hpp"
#include "rpc/fetch/url_reader_impl.hpp"

#include <algorithm>
#include <memory>
#include <new>

// One request of a reader: its options, its callbacks, and what an error of libcurl means.
namespace mistify::fetching {

namespace {

constexpr std::size_t max_head = 256 * 1024;

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

rpc::unique_fd url_reader::impl::open_file() const {
  return open_source(path_of(url), settings.files);
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
  curl_slist* lines = curl_slist_append(nullptr, "Accept-Encoding: identity");
  if (wanted > 0) {
    curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    lines = curl_slist_append(lines, ("If-Range: " + first.validator()).c_str());
  }
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{lines, &curl_slist_free_all};
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  rpc::unique_fd file; // looked at once, so that it is not another one that is read
  if (url.is_file()) {
    file = open_file();
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

} // namespace mistify::fetching
