#include "rpc/base/overloaded.hpp"
#include "store/journal_impl.hpp"

#include <algorithm>
#include <utility>

namespace mistify::store {

namespace {

[[noreturn]] void refuse(rpc::errc code, std::string why) {
  throw rpc::failure{code, std::move(why)};
}

} // namespace

/// As the batch has it; null if there is none.
token_ptr journal::impl::token_of(const std::string& id) const {
  if (const auto found = pending.tokens.find(id); found != pending.tokens.end())
    return found->second;
  return settings.tokens ? settings.tokens->find(id) : nullptr;
}

/// A batch is small: what it changed is looked through.
std::vector<token_ptr> journal::impl::all_tokens() const {
  std::vector<token_ptr> result;
  for (auto& one : settings.tokens ? settings.tokens->all() : std::vector<token_ptr>{})
    if (!pending.tokens.contains(one->id))
      result.push_back(std::move(one));
  for (const auto& [id, one] : pending.tokens)
    if (one)
      result.push_back(one);
  return result;
}

void journal::impl::require_new(const token& wanted) const {
  const auto known = all_tokens();
  if (known.size() >= most_tokens)
    refuse(rpc::errc::queue_full, "there are " + std::to_string(most_tokens) + " tokens already");
  for (const auto& one : known)
    if (one->name == wanted.name || one->id == wanted.id)
      refuse(rpc::errc::conflict, "there is a token of that name already");
}

namespace {

/// The secret before it holds for a while.
void rotate_secret(token& of, const rotate_token& rotate) {
  std::erase_if(of.old, [&](const old_secret& one) { return one.until <= rotate.at; });
  if (of.old.size() >= most_old_secrets)
    refuse(rpc::errc::queue_full, "the token was rotated too often: " + std::to_string(most_old_secrets) +
                                    " secrets before this one hold still");
  of.old.push_back({std::exchange(of.hash, rotate.hash), rotate.old_until});
}

} // namespace

token journal::change_token(const token_change& change) {
  auto& in = *impl_;
  return in.step([&](pending_changes& staged) {
    const auto known = [&](const std::string& id) {
      auto found = in.token_of(id);
      if (!found)
        refuse(rpc::errc::not_found, "not found");
      return *found;
    };
    const auto put = [&](token next) {
      in.tokens.put(next);
      staged.tokens[next.id] = std::make_shared<const token>(next);
      return next;
    };
    return std::visit(rpc::overloaded{
                        [&](const add_token& add) {
                          in.require_new(add.what);
                          return put(add.what);
                        },
                        [&](const remove_token& remove) {
                          auto gone = known(remove.id);
                          in.tokens.erase(remove.id);
                          staged.tokens[remove.id] = nullptr;
                          return gone;
                        },
                        [&](const rotate_token& rotate) {
                          auto next = known(rotate.id);
                          rotate_secret(next, rotate);
                          return put(std::move(next));
                        },
                        [&](const note_token_use& use) {
                          auto next = known(use.id);
                          next.last_used = std::max(next.last_used, use.at);
                          return put(std::move(next));
                        },
                      },
                      change);
  });
}

} // namespace mistify::store
