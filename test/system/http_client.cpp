#include "http_client.hpp"

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
  return send_raw(request_text(method, path, body, headers));
}

} // namespace mistify::test
