#include "http/client/client.hpp"

#include "rpc/base/error.hpp"

#include <thread>
#include <utility>

namespace mistify::client {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds between_attempts{200};
/// What a client can do about these is to try again.
bool may_be_passing(const failure& e) {
  return e.code() == fault::lost || e.code() == fault::unreachable;
}

std::string message_of(const reply& got) {
  try {
    const auto parsed = rpc::json::document::parse(got.body);
    return text_of(parsed.root(), "message");
  } catch (const rpc::failure&) {
    return {};
  }
}

} // namespace

std::string with_query(std::string target, const query& parameters) {
  char mark = '?';
  for (const auto& [name, value] : parameters) {
    target.append(1, std::exchange(mark, '&')).append(encode_segment(name)).append("=").append(encode_segment(value));
  }
  return target;
}

void expect_success(const reply& got) {
  if (got.status >= 200 && got.status < 300)
    return;
  auto why = message_of(got);
  if (got.status < 400 || why.empty())
    throw failure{fault::not_agent, "status " + std::to_string(got.status) + " without a message: this is no agent"};
  throw failure{fault::refused, std::move(why), got.status};
}

/// Sends it again while it is lost on its way, until `outage` is over.
reply client::ask(message what, milliseconds longest) {
  const auto until = std::chrono::steady_clock::now() + outage;
  for (bool sent = false;;) {
    try {
      auto got = link_.send(what, longest);
      expect_success(got);
      return got;
    } catch (const failure& e) {
      sent = sent || e.code() == fault::lost;
      if (!sent || !may_be_passing(e) || std::chrono::steady_clock::now() >= until)
        throw;
    }
    std::this_thread::sleep_for(between_attempts);
  }
}

reply client::once(const message& what) {
  auto got = link_.send(what);
  expect_success(got);
  return got;
}

void client::pass(std::string target, const byte_receiver& to, milliseconds idle,
                  const std::function<void(const reply&)>& opened) {
  const auto got = link_.stream({"GET", std::move(target), {}, {}}, to, idle, opened);
  expect_success(got);
}

} // namespace mistify::client
