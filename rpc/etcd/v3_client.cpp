#include "rpc/etcd/v3_client.hpp"

#include "rpc/etcd/reason.hpp"
#include "rpc/etcd/v3_codec.hpp"

#include <algorithm>
#include <utility>

namespace mistify::rpc::etcd {

namespace {

constexpr std::int64_t page = 1000;           // keys of one answer
constexpr std::size_t most_entries = 200'000; // of one listing: ten times the most guests of a host
constexpr std::size_t most_operations = 100;  // of one transaction; etcd's default bound is 128
constexpr long ok = 200, unauthorized = 401, not_found = 404;

/// Another member may have a leader, or room.
bool may_serve(const http_reply& reply) {
  constexpr long server_error = 500, too_many = 429;
  return reply.status < server_error && reply.status != too_many;
}

/// Errors that a new token ends, as 3.4 words them.
bool wants_login(const http_reply& reply) {
  if (reply.status == unauthorized)
    return true;
  const auto text = reply.status == ok ? std::string{} : v3::read_error(reply.body);
  return text.ends_with("user name is empty") || text.ends_with("invalid auth token") ||
         text.ends_with("revision of auth store is old");
}

errc code_of(long status, std::string_view text) {
  constexpr long forbidden = 403;
  if (status == unauthorized || status == forbidden || text.ends_with("user name is empty") ||
      text.ends_with("invalid user ID or password"))
    return errc::forbidden;
  return status == not_found ? errc::not_found : errc::sub_agent_failed;
}

} // namespace

v3_client::v3_client(client_settings settings) : settings_{std::move(settings)}, requests_{settings_} {}

// -- requests -------------------------------------------------------------------------------------------------------

std::vector<std::string> v3_client::headers() const {
  std::vector<std::string> out{"Content-Type: application/json"};
  if (!token_.empty())
    out.push_back("Authorization: " + token_);
  return out;
}

http_reply v3_client::post_once(std::string_view path, const std::string& body) {
  return requests_.send({"POST", path, body, headers()}, may_serve);
}

/// A token that has expired is replaced once. Returns the body of a success.
std::string v3_client::post(std::string_view path, const std::string& body) {
  if (token_.empty() && !settings_.user.empty())
    log_in();
  auto reply = post_once(path, body);
  if (!settings_.user.empty() && wants_login(reply)) {
    log_in();
    reply = post_once(path, body);
  }
  if (reply.status == ok)
    return std::move(reply.body);
  const auto text = v3::read_error(reply.body);
  throw failure{code_of(reply.status, text), requests_.endpoint() + ": " + text};
}

void v3_client::log_in() {
  token_.clear();
  const auto reply = post_once("/v3/auth/authenticate", v3::login_request(settings_.user, settings_.password));
  if (reply.status == ok) {
    token_ = v3::read_text(reply.body, "token");
    if (!std::ranges::all_of(token_, [](char c) { return c > ' ' && c < '\x7f'; }))
      throw failure{errc::sub_agent_failed, requests_.endpoint() + ": the token is not understood"};
    return;
  }
  const auto text = v3::read_error(reply.body);
  if (text.ends_with("authentication is not enabled"))
    return; // everybody may do everything there
  throw failure{errc::forbidden, requests_.endpoint() + ": " + text};
}

// -- keys -----------------------------------------------------------------------------------------------------------

/// Page by page, all of one revision.
listing v3_client::list(std::string_view prefix) {
  listing out;
  const auto end = v3::end_of(prefix);
  std::string from{prefix};
  for (bool more = true; more;) {
    auto answer = v3::read_range(post("/v3/kv/range", v3::range_request(from, end, page, out.revision)));
    if (out.revision == 0)
      out.revision = answer.revision;
    std::ranges::move(answer.entries, std::back_inserter(out.entries));
    more = answer.more && !answer.entries.empty();
    if (out.entries.size() > most_entries)
      throw failure{errc::too_large, "etcd has more than " + std::to_string(most_entries) + " keys below one prefix"};
    if (more)
      from = out.entries.back().key + '\0';
  }
  return out;
}

std::optional<entry> v3_client::get(std::string_view key) {
  auto answer = v3::read_range(post("/v3/kv/range", v3::range_request(key, {}, 1, 0)));
  if (answer.entries.empty())
    return std::nullopt;
  return std::move(answer.entries.front());
}

std::optional<std::int64_t> v3_client::write(const change& what) {
  const auto answer = v3::read_transaction(post("/v3/kv/txn", v3::transaction({&what, 1}, lease_)));
  return answer.succeeded ? std::optional{answer.revision} : std::nullopt;
}

std::int64_t v3_client::write_all(std::span<const change> all) {
  std::int64_t revision = 0;
  while (!all.empty()) {
    const auto part = all.first(std::min(all.size(), most_operations));
    revision = v3::read_transaction(post("/v3/kv/txn", v3::transaction(part, lease_))).revision;
    all = all.subspan(part.size());
  }
  return revision;
}

void v3_client::remove_all(std::string_view prefix) {
  post("/v3/kv/deleterange", v3::remove_request(prefix, v3::end_of(prefix)));
}

// -- the lease ------------------------------------------------------------------------------------------------------

void v3_client::open_lease(std::chrono::seconds ttl) {
  lease_ = 0;
  lease_ = v3::read_number(post("/v3/lease/grant", v3::lease_request("TTL", ttl.count())), "ID");
  if (lease_ == 0)
    throw failure{errc::sub_agent_failed, requests_.endpoint() + ": granted no lease"};
}

/// A lease that is no more is answered with 200 and without a TTL.
bool v3_client::keep_lease() {
  if (lease_ == 0)
    return false;
  const auto body = post("/v3/lease/keepalive", v3::lease_request("ID", lease_));
  if (v3::read_number(body, "ID") == 0)
    throw failure{errc::unavailable, requests_.endpoint() + ": " + v3::read_error(body)};
  return v3::read_number(body, "TTL") > 0;
}

void v3_client::close_lease() {
  const auto lease = std::exchange(lease_, 0);
  if (lease == 0)
    return;
  try {
    post("/v3/lease/revoke", v3::lease_request("ID", lease));
  } catch (const failure& e) {
    if (e.code() != errc::not_found) // it had expired
      throw;
  }
}

// -- the watch ------------------------------------------------------------------------------------------------------

void v3_client::end_watch() {
  if (stream_ != 0)
    requests_.session().close_stream(std::exchange(stream_, 0));
  line_.clear();
}

void v3_client::watch(const std::vector<std::string>& prefixes, std::int64_t from) {
  end_watch();
  if (token_.empty() && !settings_.user.empty())
    log_in();
  stream_ = requests_.open_stream({"POST", "/v3/watch", v3::watch_request(prefixes, from), headers()});
}

news v3_client::wait(std::chrono::milliseconds longest) {
  requests_.session().wait(longest);
  news out;
  if (stream_ == 0)
    return out;
  const auto received = requests_.session().take(stream_);
  try {
    read_lines(received.bytes, out);
  } catch (const failure& e) { // the watch is not followed any further
    out.state = news::condition::lost;
    out.why = requests_.endpoint() + ": " + e.message();
  }
  if (received.ended && out.state == news::condition::fine)
    note_end(received.why, out);
  if (out.state == news::condition::fine)
    return out;
  end_watch();
  if (received.status == unauthorized || out.why.find("auth") != out.why.npos || out.why.find("user") != out.why.npos)
    token_.clear();
  return out;
}

/// The response is over: with an error of etcd, or because the connection is lost.
void v3_client::note_end(const std::string& why, news& to) {
  to.state = news::condition::lost;
  if (!line_.empty())
    to.why = v3::read_error(line_);
  else
    to.why = requests_.endpoint() + ": " + (why.empty() ? "the watch ended" : cut_reason(why));
  requests_.move_on();
}

void v3_client::read_lines(std::string_view bytes, news& to) {
  line_ += bytes;
  std::size_t begin = 0;
  for (auto end = line_.find('\n'); end != line_.npos && to.state == news::condition::fine;
       begin = end + 1, end = line_.find('\n', begin))
    v3::read_watch_line(std::string_view{line_}.substr(begin, end - begin), to);
  line_.erase(0, begin);
  if (line_.size() > settings_.session.max_answer)
    throw failure{errc::too_large, "a line of the watch is too large"};
}

} // namespace mistify::rpc::etcd
