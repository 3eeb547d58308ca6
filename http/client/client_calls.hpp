#pragma once

#include "http/client/client.hpp"
#include "http/client/request_key.hpp"

#include <chrono>
#include <string>
#include <utility>

/// How the calls of the client are made. For the sources of http/client/client.hpp only.
namespace mistify::client {

/// A source that sends nothing for so long is gone: a download that is stuck, unlike one that is slow.
inline constexpr std::chrono::milliseconds longest_pause{120'000};
/// A log that is followed may be silent for as long as it likes.
inline constexpr std::chrono::milliseconds any_pause{std::chrono::hours{24 * 365}};

template <class T>
answer<T> answer_of(reply got) {
  return {std::move(got.body), got.header("x-guest-job-id"), got.header("x-next"), got.header("etag")};
}

/// The path with these segments, encoded.
template <class... Parts>
std::string path(const Parts&... parts) {
  std::string all;
  (all.append("/").append(encode_segment(parts)), ...);
  return all;
}

template <class T>
answer<T> client::read(std::string target, const query& parameters) {
  return answer_of<T>(ask({"GET", with_query(std::move(target), parameters), {}, {}}));
}

template <class T>
answer<T> client::queue(std::string method, std::string target, const how_to& with) {
  message what{std::move(method), with_query(std::move(target), with.parameters), with.body, {}};
  what.headers.emplace("Idempotency-Key", new_request_key());
  if (!with.if_match.empty())
    what.headers.emplace("If-Match", with.if_match);
  return answer_of<T>(ask(std::move(what)));
}

/// A change that is the same however often it is sent.
template <class T>
answer<T> client::put(std::string method, std::string target, const std::string& body) {
  return answer_of<T>(ask({std::move(method), std::move(target), body, {}}));
}

} // namespace mistify::client
