#include "rpc/etcd/v2_client.hpp"

#include "rpc/etcd/base64.hpp"
#include "rpc/etcd/reason.hpp"
#include "rpc/etcd/v2_codec.hpp"

#include <algorithm>
#include <utility>

namespace mistify::rpc::etcd {

namespace {

constexpr std::string_view root = "/v2/keys";
constexpr long ok = 200, created = 201;

bool has_worked(const http_reply& reply) {
  return reply.status == ok || reply.status == created;
}

/// 5xx: no leader, or an election.
bool may_serve(const http_reply& reply) {
  constexpr long server_error = 500;
  return reply.status < server_error;
}

std::string path_of(std::string_view key) {
  while (key.ends_with('/'))
    key.remove_suffix(1);
  return std::string{root} + v2::escape(key, true);
}

std::string plus_query(std::string path, const std::string& query) {
  return query.empty() ? std::move(path) : std::move(path) + '?' + query;
}

} // namespace

v2_client::v2_client(client_settings settings)
  : requests_{settings},
    max_answer_{settings.session.max_answer}, headers_{"Content-Type: application/x-www-form-urlencoded"} {
  if (!settings.user.empty())
    headers_.push_back("Authorization: Basic " + to_base64(settings.user + ':' + settings.password));
}

http_reply v2_client::send(std::string_view method, const std::string& path, const std::string& form) {
  return requests_.send({method, path, form, headers_}, may_serve);
}

void v2_client::fail(const http_reply& reply) const {
  constexpr long unauthorized = 401, forbidden = 403, not_found = 404;
  const bool refused = reply.status == unauthorized || reply.status == forbidden;
  // Go's server answers so where nothing serves the path.
  const auto text = reply.status == not_found && reply.body.starts_with("404 page")
                      ? std::string{"does not serve the v2 API: start etcd with --enable-v2"}
                      : v2::read_error(reply.body).text;
  throw failure{refused ? errc::forbidden : errc::sub_agent_failed, requests_.endpoint() + ": " + text};
}

// -- keys -----------------------------------------------------------------------------------------------------------

listing v2_client::list(std::string_view prefix) {
  auto reply = send("GET", path_of(prefix) + "?recursive=true", {});
  if (has_worked(reply))
    return {reply.index, v2::read_entries(reply.body)};
  if (v2::read_error(reply.body).code != v2::codes::key_not_found)
    fail(reply);
  return {reply.index, {}};
}

std::optional<entry> v2_client::get(std::string_view key) {
  auto reply = send("GET", path_of(key), {});
  if (has_worked(reply)) {
    auto found = v2::read_entries(reply.body);
    return found.size() == 1 ? std::optional{std::move(found.front())} : std::nullopt;
  }
  if (v2::read_error(reply.body).code != v2::codes::key_not_found)
    fail(reply);
  return std::nullopt;
}

std::string v2_client::form_of(const change& what) const {
  std::string form;
  if (what.value)
    form += "value=" + v2::escape(*what.value) + '&';
  if (what.leased)
    form += "ttl=" + std::to_string(ttl_.count()) + '&';
  if (what.expected == 0)
    form += "prevExist=false&";
  else if (what.expected)
    form += "prevIndex=" + std::to_string(*what.expected) + '&';
  if (!form.empty())
    form.pop_back();
  return form;
}

std::optional<std::int64_t> v2_client::write(const change& what) {
  const auto form = form_of(what);
  const auto reply =
    what.value ? send("PUT", path_of(what.key), form) : send("DELETE", plus_query(path_of(what.key), form), {});
  if (has_worked(reply)) {
    if (what.value && what.leased)
      leased_[what.key] = *what.value;
    return v2::read_event(reply.body).what.what.revision;
  }
  const auto code = v2::read_error(reply.body).code;
  if (code == v2::codes::key_not_found && !what.value)
    return what.expected ? std::nullopt : std::optional{reply.index};
  if (code != v2::codes::key_not_found && code != v2::codes::compare_failed && code != v2::codes::key_exists)
    fail(reply);
  return std::nullopt;
}

std::int64_t v2_client::write_all(std::span<const change> all) {
  std::int64_t revision = 0;
  for (const auto& one : all)
    revision = write(one).value_or(revision);
  return revision;
}

void v2_client::remove_all(std::string_view prefix) {
  const auto reply = send("DELETE", path_of(prefix) + "?recursive=true", {});
  if (!has_worked(reply) && v2::read_error(reply.body).code != v2::codes::key_not_found)
    fail(reply);
}

// -- the lease ------------------------------------------------------------------------------------------------------

void v2_client::open_lease(std::chrono::seconds ttl) {
  ttl_ = ttl;
  leased_.clear();
}

/// Refreshing changes no value, and no watch reports it.
bool v2_client::keep_lease() {
  if (ttl_.count() == 0)
    return false;
  for (const auto& [key, value] : leased_) {
    const auto reply =
      send("PUT", path_of(key),
           "refresh=true&ttl=" + std::to_string(ttl_.count()) + "&prevExist=true&prevValue=" + v2::escape(value));
    if (has_worked(reply))
      continue;
    const auto code = v2::read_error(reply.body).code;
    if (code == v2::codes::key_not_found || code == v2::codes::compare_failed)
      return false;
    fail(reply);
  }
  return true;
}

void v2_client::close_lease() {
  ttl_ = std::chrono::seconds{0};
  for (const auto& [key, value] : std::exchange(leased_, {})) {
    const auto reply = send("DELETE", path_of(key) + "?prevValue=" + v2::escape(value), {});
    const auto code = has_worked(reply) ? 0 : v2::read_error(reply.body).code;
    if (!has_worked(reply) && code != v2::codes::key_not_found && code != v2::codes::compare_failed)
      fail(reply);
  }
}

bool v2_client::is_ours(const entry& what) const {
  const auto found = leased_.find(what.key);
  return found != leased_.end() && found->second == what.value;
}

// -- the watch: one long poll for each prefix -------------------------------------------------------------------------

void v2_client::end_watch() {
  for (const auto& one : polls_)
    requests_.session().close_stream(one.stream);
  polls_.clear();
}

void v2_client::watch(const std::vector<std::string>& prefixes, std::int64_t from) {
  end_watch();
  for (const auto& prefix : prefixes)
    begin(polls_.emplace_back(poll{prefix, from, 0, {}}));
}

void v2_client::begin(poll& one) {
  const auto path = path_of(one.prefix) + "?wait=true&recursive=true&waitIndex=" + std::to_string(one.from);
  one.body.clear();
  one.stream = requests_.open_stream({"GET", path, {}, headers_});
}

news v2_client::wait(std::chrono::milliseconds longest) {
  requests_.session().wait(longest);
  news out;
  for (auto& one : polls_)
    if (out.state == news::condition::fine)
      read(one, out);
  if (out.state != news::condition::fine)
    end_watch();
  return out;
}

void v2_client::read(poll& one, news& to) {
  auto received = requests_.session().take(one.stream);
  one.body += received.bytes;
  if (one.body.size() > max_answer_)
    received = {.bytes = {}, .ended = true, .why = "the answer is too large"};
  if (!received.ended)
    return;
  if (!received.why.empty()) {
    to.state = news::condition::lost;
    to.why = requests_.endpoint() + ": " + cut_reason(received.why);
    requests_.move_on();
    return;
  }
  try {
    read_answer(one, received.status, to);
  } catch (const failure& e) { // the watch is not followed any further
    to.state = news::condition::lost;
    to.why = requests_.endpoint() + ": " + e.message();
  }
  if (to.state == news::condition::fine)
    begin(one);
}

/// An empty answer: etcd ends polls that wait for minutes.
void v2_client::read_answer(poll& one, long status, news& to) const {
  if (status == ok && one.body.empty())
    return;
  if (status != ok) {
    const auto error = v2::read_error(one.body);
    to.state = error.code == v2::codes::index_cleared ? news::condition::compacted : news::condition::lost;
    to.why = requests_.endpoint() + ": " + error.text;
    return;
  }
  auto changed = v2::read_event(one.body);
  if (changed.whole_folder) {
    to.state = news::condition::compacted;
    to.why = "a folder was changed as a whole";
    return;
  }
  one.from = changed.what.what.revision + 1;
  to.events.push_back(std::move(changed.what));
}

} // namespace mistify::rpc::etcd
