#include "rpc/agents/container/engine_transfer.hpp"

#include <curl/curl.h>

#include <exception>
#include <new>

namespace mistify::agents::container {

namespace {

constexpr std::size_t most_idle = 8;
constexpr std::size_t most_head = 64 * 1024;
constexpr long connect_ms = 2000;
constexpr int look_ms = 100;

using header_list = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// One exchange as curl's callbacks see it.
struct exchange {
  const engine_request& request;
  CURL* curl;
  engine_answer answer = {};
  std::size_t head = 0;
  bool opened = false, ended = false, too_large = false;
  std::exception_ptr trouble = {};

  int status() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return static_cast<int>(code);
  }

  bool is_success() const {
    const auto code = status();
    return code >= 200 && code < 300;
  }

  void open() {
    if (opened || !is_success())
      return;
    opened = true;
    if (request.opened)
      request.opened();
  }

  bool take(std::string_view bytes) {
    if (request.data && is_success()) {
      ended = !request.data(bytes);
      return !ended;
    }
    too_large = answer.body.size() + bytes.size() > request.most;
    if (!too_large)
      answer.body += bytes;
    return !too_large;
  }

  template <class F>
  bool guarded(F f) noexcept {
    try {
      return f();
    } catch (...) {
      trouble = std::current_exception();
      return false;
    }
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    auto& me = *static_cast<exchange*>(self);
    me.head += size;
    const bool is_last = size == 2 && data[0] == '\r';
    return me.head <= most_head && me.guarded([&] {
      if (is_last)
        me.open();
      return true;
    })
             ? size
             : 0;
  }
  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self) {
    auto& me = *static_cast<exchange*>(self);
    return me.guarded([&] { return me.take({data, size}); }) ? size : 0;
  }
  static std::size_t on_read(char* to, std::size_t, std::size_t most, void* self) {
    auto& me = *static_cast<exchange*>(self);
    std::size_t count = 0;
    return me.guarded([&] {
      count = me.request.upload(to, most);
      return true;
    })
             ? count
             : static_cast<std::size_t>(CURL_READFUNC_ABORT);
  }
};

template <class T>
void set(CURL* curl, CURLoption option, T value) {
  if (curl_easy_setopt(curl, option, value) != CURLE_OK)
    throw std::bad_alloc{};
}

void set_body(CURL* curl, exchange& on) {
  const auto& request = on.request;
  if (request.upload) {
    set(curl, CURLOPT_POST, 1L);
    set(curl, CURLOPT_READFUNCTION, &exchange::on_read);
    set(curl, CURLOPT_READDATA, &on);
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.upload_size));
  } else if (request.method == "POST") {
    set(curl, CURLOPT_POST, 1L);
    set(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  } else if (request.method != "GET") {
    set(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

header_list headers_of(const engine_request& request) {
  header_list list{curl_slist_append(nullptr, "Expect:"), &curl_slist_free_all};
  const auto type = "Content-Type: " + request.content_type;
  if (!list || !curl_slist_append(list.get(), type.c_str()))
    throw std::bad_alloc{};
  return list;
}

void prepare(CURL* curl, const std::string& socket, exchange& on, const curl_slist* headers, char* reason) {
  curl_easy_reset(curl);
  set(curl, CURLOPT_URL, ("http://localhost" + on.request.path).c_str());
  set(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  set(curl, CURLOPT_PROXY, ""); // also none of the environment
  set(curl, CURLOPT_PROTOCOLS_STR, "http");
  set(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
  set(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(on.request.time.count()));
  set(curl, CURLOPT_HTTPHEADER, headers);
  set(curl, CURLOPT_ERRORBUFFER, reason);
  set(curl, CURLOPT_HEADERFUNCTION, &exchange::on_header);
  set(curl, CURLOPT_HEADERDATA, &on);
  set(curl, CURLOPT_WRITEFUNCTION, &exchange::on_data);
  set(curl, CURLOPT_WRITEDATA, &on);
  set_body(curl, on);
}

/// Returns null if `stop` ended it.
const CURLcode* perform(CURLM* multi, const engine_request& request, CURLcode& code) {
  for (int running = 1;;) {
    if (curl_multi_perform(multi, &running) != CURLM_OK)
      throw std::bad_alloc{};
    int waiting = 0;
    while (const auto* message = curl_multi_info_read(multi, &waiting))
      if (message->msg == CURLMSG_DONE) {
        code = message->data.result;
        return &code;
      }
    if (request.stop && request.stop())
      return nullptr;
    curl_multi_poll(multi, nullptr, 0, look_ms, nullptr);
  }
}

[[noreturn]] void fail(CURLcode code, const exchange& on, const std::string& socket, const char* reason) {
  if (on.trouble)
    std::rethrow_exception(on.trouble);
  const std::string why = reason[0] ? reason : curl_easy_strerror(code);
  if (on.too_large || on.head > most_head)
    throw engine_error{"the engine's answer is too large"};
  switch (code) {
  case CURLE_COULDNT_CONNECT:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR: throw engine_away{"no container engine answers at " + socket + ": " + why};
  case CURLE_OPERATION_TIMEDOUT:
    if (on.status() == 0 && on.request.time.count() == 0)
      throw engine_away{"no container engine answers at " + socket + ": " + why};
    throw engine_error{"the container engine at " + socket + " did not answer in time"};
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY: throw engine_error{"what answers at " + socket + " is no container engine: " + why};
  default: throw engine_error{"the container engine at " + socket + " broke its answer off: " + why};
  }
}

} // namespace

/// A connection, which curl keeps in its multi handle.
struct engine_transfer::link {
  link() : multi{curl_multi_init()}, easy{curl_easy_init()} {
    if (!multi || !easy)
      throw std::bad_alloc{};
  }
  ~link() {
    if (easy)
      curl_easy_cleanup(easy);
    if (multi)
      curl_multi_cleanup(multi);
  }
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  CURLM* multi;
  CURL* easy;
};

engine_transfer::engine_transfer(std::string socket) : socket_{std::move(socket)} {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

engine_transfer::~engine_transfer() = default;

std::unique_ptr<engine_transfer::link> engine_transfer::take() {
  const std::lock_guard lock{mutex_};
  if (idle_.empty())
    return std::make_unique<link>();
  auto taken = std::move(idle_.back());
  idle_.pop_back();
  return taken;
}

void engine_transfer::give_back(std::unique_ptr<link> used) {
  const std::lock_guard lock{mutex_};
  if (idle_.size() < most_idle)
    idle_.push_back(std::move(used));
}

engine_answer engine_transfer::run(const engine_request& request) {
  auto on_link = take();
  exchange on{request, on_link->easy};
  char reason[CURL_ERROR_SIZE] = {};
  const auto headers = headers_of(request);
  prepare(on_link->easy, socket_, on, headers.get(), reason);
  if (curl_multi_add_handle(on_link->multi, on_link->easy) != CURLM_OK)
    throw std::bad_alloc{};
  CURLcode code = CURLE_OK;
  const auto* done = perform(on_link->multi, request, code);
  on.answer.status = on.status();
  curl_multi_remove_handle(on_link->multi, on_link->easy);
  if (!done)
    throw engine_error{"cancelled"};
  if (code != CURLE_OK && !(on.ended && !on.trouble))
    fail(code, on, socket_, reason);
  give_back(std::move(on_link));
  return std::move(on.answer);
}

} // namespace mistify::agents::container
