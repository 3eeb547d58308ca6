#include "http/protocol/request_parser.hpp"

#include "rpc/http1/door.hpp"
#include "rpc/http1/grammar.hpp"

#include <algorithm>
#include <charconv>
#include <httplib.h>
#include <optional>

namespace mistify::http {

namespace {

/// Lets cpp-httplib read a request line from memory, and keeps the beginning of what it would answer: the status.
class head_stream : public httplib::Stream {
public:
  explicit head_stream(std::string_view head) : rest_{head} {}

  bool is_readable() const override { return !rest_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, size_t size) override {
    auto n = rest_.copy(to, size);
    rest_.remove_prefix(n);
    return static_cast<ssize_t>(n);
  }
  ssize_t write(const char* from, size_t size) override {
    if (auto room = status_line_bytes - std::min(status_line_bytes, answer_.size()); room > 0)
      answer_.append(from, std::min(size, room));
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int& port) const override { port = 0; }
  void get_local_ip_and_port(std::string&, int& port) const override { port = 0; }
  socket_t socket() const override { return 0; }

  /// "HTTP/1.1 414" → 414; 400 where there is nothing sensible.
  int status() const {
    int code = 0;
    if (answer_.size() == status_line_bytes)
      std::from_chars(answer_.data() + 9, answer_.data() + status_line_bytes, code);
    return code >= 400 ? code : 400;
  }

private:
  static constexpr std::size_t status_line_bytes = 12;
  std::string_view rest_;
  std::string answer_;
};

/// Nothing for a "%" without two digits behind it and for NUL bytes.
std::optional<std::string> percent_decode(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '%') {
      int high = i + 2 < s.size() ? rpc::text::hex_value(s[i + 1]) : -1;
      int low = high >= 0 ? rpc::text::hex_value(s[i + 2]) : -1;
      if (low < 0)
        return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0')
      return std::nullopt;
    out += c;
  }
  return out;
}

/// The path of "/a?b", "http://host/a?b" and "*" (RFC 9112, 3.2).
std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!rpc::text::equal_ignoring_case(target.substr(0, scheme.size()), scheme))
      continue;
    auto slash = target.find('/', scheme.size());
    return slash == target.npos ? "/" : target.substr(slash);
  }
  return target;
}

bool split_path(std::string_view path, std::vector<std::string>& segments) {
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  while (!path.empty()) {
    auto end = path.find('/');
    auto segment = percent_decode(path.substr(0, end));
    if (!segment)
      return false;
    segments.push_back(std::move(*segment));
    path.remove_prefix(end == path.npos ? path.size() : end + 1);
  }
  return true;
}

void copy_headers(const request_head& head, request& to) {
  std::string name;
  for (const auto& field : head.fields) {
    name.assign(field.name);
    std::transform(name.begin(), name.end(), name.begin(), rpc::text::lower);
    auto [at, fresh] = to.headers.try_emplace(name, field.value);
    if (!fresh)
      at->second.append(", ").append(field.value);
  }
}

/// Whether there is nothing in it for the library to read: no query, no escapes, and not so long that it would refuse it.
///
/// Most are so; to have it read them took a fifth of the instructions of GET metrics/cpu (callgrind).
bool speaks_for_itself(std::string_view target) {
  constexpr std::size_t short_enough = 1024;
  return target.starts_with('/') && target.size() <= short_enough && rpc::text::is_plain_path(target);
}

} // namespace

class request_parser::engine : public httplib::Server {
public:
  engine() {
    // By then the head is read, and nothing else is wanted of the library.
    set_pre_routing_handler([](const auto&, auto& res) {
      res.status = 204;
      return HandlerResponse::Handled;
    });
  }

  std::optional<refusal> read(std::string_view target, request& to) {
    bool understood = false, closed = false;
    const auto line = std::string{"GET "}.append(target).append(" HTTP/1.1\r\n\r\n");
    head_stream stream{line};
    process_request(stream, false, closed, [&](httplib::Request& r) {
      understood = true;
      to.query = std::move(r.params);
    });
    if (understood)
      return std::nullopt;
    return refusal{stream.status(), "the request's target is not understood, or too long"};
  }
};

request_parser::request_parser() : engine_{std::make_unique<engine>()} {}
request_parser::~request_parser() = default;

std::variant<request, refusal> request_parser::parse(const request_head& head) const {
  request r;
  if (!speaks_for_itself(head.target))
    if (auto refused = engine_->read(head.target, r))
      return *std::move(refused);
  r.method = head.method;
  r.path = path_of(head.target);
  if (const auto authority = rpc::authority_of_target(head.target))
    r.authority = *authority;
  bool rooted = r.path.starts_with('/') || (r.path == "*" && r.method == "OPTIONS");
  if (!rooted || !split_path(r.path, r.segments))
    return refusal{400, "the path is not valid"};
  if (r.method == "HEAD") {
    r.method = "GET";
    r.head_only = true;
  }
  copy_headers(head, r);
  return r;
}

} // namespace mistify::http
