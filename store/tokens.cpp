#include "store/tokens.hpp"

#include "rpc/base/text.hpp"

#include <charconv>
#include <utility>

namespace mistify::store {

namespace {

std::int64_t number(rpc::timestamp at) {
  return at.time_since_epoch().count();
}

rpc::timestamp time(std::int64_t number) {
  return rpc::timestamp{rpc::timestamp::duration{number}};
}

/// "HASH@UNTIL HASH@UNTIL"; a row of an earlier version has one hash alone, which holds until `until`.
std::string encode(const std::vector<old_secret>& secrets) {
  std::string text;
  for (const auto& one : secrets)
    text.append(text.empty() ? "" : " ").append(one.hash).append("@").append(std::to_string(number(one.until)));
  return text;
}

std::vector<old_secret> decode(const std::string& text, rpc::timestamp until) {
  std::vector<old_secret> secrets;
  rpc::text::each_element(text, ' ', [&](std::string_view one) {
    const auto at = one.find('@');
    std::int64_t nanoseconds = number(until);
    if (at != one.npos)
      std::from_chars(one.data() + at + 1, one.data() + one.size(), nanoseconds);
    secrets.push_back({std::string{one.substr(0, at)}, time(nanoseconds)});
  });
  return secrets;
}

} // namespace

token_ptr token_index::find(std::string_view id) const {
  const std::shared_lock lock{mutex_};
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : found->second;
}

std::vector<token_ptr> token_index::all() const {
  const std::shared_lock lock{mutex_};
  std::vector<token_ptr> result;
  for (const auto& [id, one] : tokens_)
    result.push_back(one);
  return result;
}

bool token_index::empty() const {
  const std::shared_lock lock{mutex_};
  return tokens_.empty();
}

void token_index::put(token_ptr token) {
  const std::unique_lock lock{mutex_};
  auto id = token->id;
  tokens_.insert_or_assign(std::move(id), std::move(token));
}

void token_index::erase(std::string_view id) {
  const std::unique_lock lock{mutex_};
  if (const auto found = tokens_.find(id); found != tokens_.end())
    tokens_.erase(found);
}

token_table::token_table(const database& db)
  : all_{db, "SELECT id, name, hash, role, scopes, guests, service, created, last_used, expires, old_hash, old_until "
             "FROM tokens"},
    put_{db,
         "INSERT OR REPLACE INTO tokens (id, name, hash, role, scopes, guests, service, created, last_used, expires, "
         "old_hash, old_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
    erase_{db, "DELETE FROM tokens WHERE id = ?"} {}

std::vector<token_ptr> token_table::all() {
  std::vector<token_ptr> result;
  for (auto row = all_(); row.next();)
    result.push_back(std::make_shared<const token>(token{
      row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6), time(row.integer(7)),
      time(row.integer(8)), time(row.integer(9)), decode(row.text(10), time(row.integer(11)))}));
  return result;
}

void token_table::put(const token& what) {
  put_.run(what.id, what.name, what.hash, what.role, what.scopes, what.guests, what.service, number(what.created),
           number(what.last_used), number(what.expires), encode(what.old),
           number(what.old.empty() ? rpc::timestamp{} : what.old.back().until));
}

void token_table::erase(std::string_view id) {
  erase_.run(id);
}

} // namespace mistify::store
