#include "http_client.hpp"

#include "http/client/failure.hpp"
#include "http/client/transport.hpp"

#include <chrono>

namespace mistify::test {

std::string response::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string request_text(std::string_view method, std::string_view path, std::string_view body,
                         const header_list& headers) {
  std::string text{method};
  text.append(" ").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
  for (const auto& header : headers)
    text.append(header).append("\r\n");
  if (!body.empty() || method == "POST" || method == "PATCH")
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  return text.append("\r\n").append(body);
}

response http_client::send_raw(std::string_view bytes) const {
  raw_client connection{port_};
  // The agent may answer, and close, before it has read everything: what it said counts.
  connection.send(bytes);
  return {connection.answer()};
}

response http_client::send(std::string_view method, std::string_view path, std::string_view body,
                           const header_list& headers) const {
  client::settings how;
  how.agent = {client::address::scheme::http, "127.0.0.1", port_};
  how.timeout = std::chrono::seconds{60}; // more than any ?wait of a test
  client::message what{
    std::string{method}, std::string{path}, std::string{body}, {{"Connection", "close"}, {"Host", "127.0.0.1"}}};
  for (const auto& header : headers) {
    const auto colon = header.find(": ");
    what.headers.emplace(header.substr(0, colon), header.substr(colon + 2));
  }
  try {
    auto got = client::transport{std::move(how)}.send(what);
    return {{got.status, {got.headers.begin(), got.headers.end()}, std::move(got.body), true}};
  } catch (const client::failure&) {
    return {};
  }
}

} // namespace mistify::test
