#pragma once

#include "test/rpc/scripted_agent.hpp"

#include <charconv>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::test {

/// A web server with one file (at any path) and configurable faults. Configure it before the first request.
class web_source {
public:
  std::string body;
  std::string etag = "\"v1\"";
  bool ranges = true;                  ///< range requests are supported
  std::vector<std::size_t> breaks;     ///< of the first responses: the number of bytes after which the connection drops
  std::vector<int> statuses;           ///< of the first responses, if not 200
  std::string sum_file;                ///< content of PATH.sha256; "": absent
  std::string redirect;                ///< target of redirects for every request
  std::function<void()> half_way = {}; ///< called when half of a response was sent
  /// Returns the whole response to a request, including those for a sum; "": the usual response.
  std::function<std::string(const std::string& request)> special = {};

  std::string url(const std::string& path = "/disk.img") const {
    return "http://127.0.0.1:" + std::to_string(server_.port()) + path;
  }
  /// Returns the requests for the file, in order.
  std::vector<std::string> requests() const {
    std::lock_guard lock{mutex_};
    return requests_;
  }

  /// Makes a response with the current ETag.
  std::string answer(const std::string& status, const std::string& content, const std::string& more = "") const {
    return "HTTP/1.1 " + status + "\r\nConnection: close\r\nETag: " + etag + "\r\n" + more +
           "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
  }

private:
  void serve(peer& p) {
    const auto request = p.request();
    if (const auto text = special ? special(request) : ""; !text.empty()) {
      const std::lock_guard lock{mutex_};
      requests_.push_back(request);
      p.send(text);
      return;
    }
    if (request.substr(0, request.find(" HTTP")).find(".sha256") != request.npos) {
      p.send(sum_file.empty() ? answer("404 Not Found", "no") : answer("200 OK", sum_file));
      return;
    }
    std::size_t number = 0;
    {
      std::lock_guard lock{mutex_};
      number = requests_.size();
      requests_.push_back(request);
    }
    if (!redirect.empty())
      return void(p.send("HTTP/1.1 302 Found\r\nLocation: " + redirect + "\r\nContent-Length: 0\r\n\r\n"));
    if (number < statuses.size())
      return void(p.send(answer(std::to_string(statuses[number]) + " As Told", "no")));
    const auto from = begin_of(request);
    auto text = from > 0 ? answer("206 Partial Content", body.substr(from),
                                  "Content-Range: bytes " + std::to_string(from) + '-' +
                                    std::to_string(body.size() - 1) + '/' + std::to_string(body.size()) + "\r\n")
                         : answer("200 OK", body);
    if (number < breaks.size())
      text.resize(std::min(text.size(), breaks[number]));
    p.send(text.substr(0, text.size() / 2));
    if (half_way)
      half_way();
    p.send(text.substr(text.size() / 2));
  }

  std::size_t begin_of(const std::string& request) const {
    constexpr std::string_view range = "Range: bytes=";
    const auto at = request.find(range);
    if (!ranges || at == request.npos || request.find("If-Range: " + etag) == request.npos)
      return 0;
    std::size_t from = 0;
    std::from_chars(request.data() + at + range.size(), request.data() + request.size(), from);
    return from;
  }

  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  scripted_agent server_{[this](peer& p) { serve(p); }}; // last: its thread uses the other members
};

} // namespace mistify::test
