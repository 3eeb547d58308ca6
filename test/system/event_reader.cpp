#include "event_reader.hpp"

#include "http/client/event_stream.hpp"

#include <stdexcept>

namespace mistify::test {

namespace {

/// By the client's parser. Comments, and places alone, are no events.
told_event parse(std::string_view text) {
  told_event found;
  client::event_parser parser;
  parser.feed(text, [&](const client::event_parser::block& one) {
    found = {one.place.substr(one.place.rfind('-') + 1), one.type, one.data, one.place};
    return true;
  });
  return found;
}

} // namespace

event_reader::event_reader(std::uint16_t port, const std::string& query, const header_list& headers) : client_{port} {
  std::string request = "GET /events" + query + " HTTP/1.0\r\n";
  for (const auto& header : headers)
    request += header + "\r\n";
  client_.send(request + "\r\n");
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    const auto more = client_.receive(1);
    if (more.empty())
      break;
    head += more;
  }
  if (!head.starts_with("HTTP/1.1 200 "))
    throw std::runtime_error{"no events: " + head + client_.receive(1000)};
  place_ = parse(block()).id; // unless it begins with a gap
}

std::string event_reader::block() {
  std::string text;
  while (!text.ends_with("\n\n")) {
    const auto more = client_.receive(1);
    if (more.empty())
      return {};
    text += more;
  }
  return text;
}

told_event event_reader::next() {
  for (;;) {
    const auto text = block();
    auto found = parse(text);
    if (text.empty() || !found.type.empty())
      return found;
  }
}

std::vector<told_event> event_reader::until(std::string_view type) {
  std::vector<told_event> found;
  do
    found.push_back(next());
  while (found.back().type != type && !found.back().type.empty());
  return found;
}

bool event_reader::ends() {
  return client_.closed();
}

} // namespace mistify::test
