#include "http/client/etcd_reader.hpp"

#include "http/client/failure.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/etcd/base64.hpp"
#include "rpc/etcd/reason.hpp"
#include "rpc/etcd/v2_codec.hpp"
#include "rpc/etcd/v3_codec.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace mistify::client {

using rpc::etcd::api;
using rpc::etcd::cut_reason;
using rpc::etcd::entry;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view peer = "etcd";
constexpr milliseconds longest_request{5'000};
constexpr std::int64_t page = 1000;
constexpr std::size_t most_entries = 200'000, most_bytes = std::size_t{64} << 20U;
constexpr int ok = 200;

settings link_settings(const etcd_settings& how, std::size_t member) {
  settings made;
  made.agent = how.members[member];
  made.ca_file = how.ca_file;
  if (made.agent.how == address::scheme::https)
    made.cert_file = how.cert_file, made.key_file = how.key_file;
  made.timeout = std::min(how.timeout, longest_request);
  made.peer = peer;
  return made;
}

/// Another member may have a leader, or room.
bool may_serve(const reply& got) {
  constexpr int too_many = 429, server_error = 500;
  return got.status != too_many && got.status < server_error;
}

std::size_t size_of(const std::vector<entry>& all) {
  std::size_t bytes = 0;
  for (const auto& one : all)
    bytes += one.key.size() + one.value.size();
  return bytes;
}

/// Calls `read`; what it throws of an answer that is not etcd's becomes `failure{not_agent}`.
template <class F>
auto reading(F read) {
  try {
    return read();
  } catch (const rpc::failure& e) {
    throw failure{fault::not_agent, e.message()};
  }
}

} // namespace

etcd_reader::etcd_reader(etcd_settings how) : how_{std::move(how)}, links_(how_.members.size()) {
  if (how_.members.empty())
    throw failure{fault::usage, "no URL of etcd is given"};
}

std::vector<entry> etcd_reader::list(std::string_view prefix) {
  if (!until_)
    until_ = clock::now() + how_.timeout;
  auto all = how_.api == api::v2 ? list_v2(prefix) : list_v3(prefix);
  std::ranges::sort(all, {}, &entry::key);
  return all;
}

/// Page by page, all of one revision.
std::vector<entry> etcd_reader::list_v3(std::string_view prefix) {
  namespace v3 = rpc::etcd::v3;
  if (!how_.user.empty() && authorization_.empty())
    log_in();
  std::vector<entry> all;
  const auto end = v3::end_of(prefix);
  std::string from{prefix};
  std::int64_t revision = 0;
  for (bool more = true; more;) {
    const auto got = send({"POST", "/v3/kv/range", v3::range_request(from, end, page, revision)});
    if (got.status != ok)
      fail(got, v3::read_error(got.body));
    auto answer = reading([&] { return v3::read_range(got.body); });
    revision = revision == 0 ? answer.revision : revision;
    more = answer.more && !answer.entries.empty();
    std::ranges::move(answer.entries, std::back_inserter(all));
    if (all.size() > most_entries || size_of(all) > most_bytes)
      throw failure{fault::not_agent, "etcd has too many keys below " + std::string{prefix}};
    if (more)
      from = all.back().key + '\0';
  }
  return all;
}

std::vector<entry> etcd_reader::list_v2(std::string_view prefix) {
  namespace v2 = rpc::etcd::v2;
  constexpr int not_found = 404;
  if (!how_.user.empty())
    authorization_ = "Basic " + rpc::etcd::to_base64(how_.user + ':' + how_.password);
  while (prefix.ends_with('/'))
    prefix.remove_suffix(1);
  const auto got = send({"GET", "/v2/keys" + v2::escape(prefix, true) + "?recursive=true", {}});
  if (got.status == ok)
    return reading([&] { return v2::read_entries(got.body); });
  if (got.status == not_found && got.body.starts_with("404 page"))
    fail(got, "does not serve the v2 API: start etcd with --enable-v2");
  const auto error = v2::read_error(got.body);
  if (error.code != v2::codes::key_not_found)
    fail(got, error.text);
  return {};
}

/// The token counts at all members.
void etcd_reader::log_in() {
  namespace v3 = rpc::etcd::v3;
  const auto got = send({"POST", "/v3/auth/authenticate", v3::login_request(how_.user, how_.password), false});
  if (got.status == ok) {
    auto token = reading([&] { return v3::read_text(got.body, "token"); });
    if (token.empty() || rpc::has_control(token))
      throw failure{fault::not_agent, "etcd's token is not understood"};
    authorization_ = std::move(token);
    return;
  }
  const auto why = v3::read_error(got.body);
  if (!why.ends_with("authentication is not enabled")) // else everybody may do everything there
    fail(got, why);
}

reply etcd_reader::send(const request& what) {
  std::optional<failure> last;
  for (std::size_t tried = 0; tried < how_.members.size(); ++tried) {
    try {
      auto got = send_to(present_, what);
      if (may_serve(got))
        return got;
      last.emplace(fault::not_agent,
                   how_.members[present_].text() + ": " + std::to_string(got.status) + ' ' + cut_reason(got.body));
    } catch (const failure& e) {
      last.emplace(e);
    }
    present_ = (present_ + 1) % how_.members.size();
  }
  throw failure{*last};
}

reply etcd_reader::send_to(std::size_t member, const request& what) {
  const auto left = std::chrono::duration_cast<milliseconds>(*until_ - clock::now());
  if (left.count() <= 0)
    throw failure{fault::timeout, "etcd has not answered within " + std::to_string(how_.timeout.count()) + " ms"};
  auto& link = links_[member];
  if (!link)
    link = std::make_unique<transport>(link_settings(how_, member));
  message sent{what.method, what.target, what.body, {}};
  if (what.with_login && !authorization_.empty())
    sent.headers.emplace("Authorization", authorization_);
  return link->send(sent, std::min(left, longest_request));
}

void etcd_reader::fail(const reply& got, const std::string& why) const {
  constexpr int bad_request = 400, unauthorized = 401, forbidden = 403;
  const bool refused = got.status == bad_request || got.status == unauthorized || got.status == forbidden;
  throw failure{refused ? fault::refused : fault::not_agent, how_.members[present_].text() + ": " + cut_reason(why),
                refused ? forbidden : 0};
}

} // namespace mistify::client
