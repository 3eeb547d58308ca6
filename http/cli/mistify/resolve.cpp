#include "http/cli/mistify/resolve.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/text.hpp"

#include <algorithm>

namespace mistify::cli {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

[[noreturn]] void ambiguous(const std::vector<const named*>& fit, std::string_view asked, std::string_view kind) {
  constexpr std::size_t most = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(fit.size(), most); ++i)
    names.append(names.empty() ? "" : ", ")
      .append(fit[i]->name.empty() ? fit[i]->id : fit[i]->name + " (" + fit[i]->id + ")");
  if (fit.size() > most)
    names += " and " + std::to_string(fit.size() - most) + " more";
  throw give_up{status::usage, "\"" + std::string{asked} + "\" fits several " + std::string{kind} + "s: " + names,
                "say more of the id or the name; nothing was done"};
}

template <class Fits>
std::vector<const named*> all_that(const std::vector<named>& all, Fits fits) {
  std::vector<const named*> found;
  for (const auto& one : all)
    if (fits(one))
      found.push_back(&one);
  return found;
}

std::vector<std::string> each_once(std::vector<std::string> ids) {
  std::vector<std::string> once;
  for (auto& id : ids)
    if (std::ranges::find(once, id) == once.end())
      once.push_back(std::move(id));
  return once;
}

} // namespace

std::string resolve(const std::vector<named>& all, std::string_view asked, std::string_view kind) {
  const auto same_id = all_that(all, [&](const named& one) { return one.id == asked; });
  const auto same_name = all_that(all, [&](const named& one) { return one.name == asked; });
  const auto begins = all_that(all, [&](const named& one) {
    return one.id.starts_with(asked) || (!one.name.empty() && one.name.starts_with(asked));
  });
  for (const auto& fit : {same_id, same_name, begins}) {
    if (fit.size() == 1)
      return fit.front()->id;
    if (fit.size() > 1)
      ambiguous(fit, asked, kind);
  }
  throw give_up{status::absent, "there is no " + std::string{kind} + " \"" + std::string{asked} + "\"",
                "`mistify " +
                  std::string{kind == "guest"    ? "list"
                              : kind == "job"    ? "jobs"
                              : kind == "domain" ? "unmanaged"
                                                 : "token list"} +
                  "` names all"};
}

std::vector<named> read_named(const std::string& json, std::string_view id, std::string_view name) {
  const auto parsed = client::decode<rpc::json::document>(json);
  std::vector<named> all;
  if (parsed.root().type() != rpc::json::node::kind::array)
    throw client::failure{client::fault::not_agent, "the answer is no list: this is no agent"};
  for (const rpc::json::node& one : parsed.root().items("list"))
    all.push_back({client::text_of(one, id), name.empty() ? std::string{} : client::text_of(one, name)});
  return all;
}

std::vector<named> all_guests(client::client& agent) {
  constexpr int no_such_parameter = 400;
  try {
    return read_named(agent.guests({{"fields", "id,name"}}).body, "id", "name");
  } catch (const client::failure& e) {
    if (e.status() != no_such_parameter)
      throw;
    return read_named(agent.guests().body, "id", "name");
  }
}

void explain_missing(context& cx, const std::string& guest, const std::string& what, const client::failure& e) {
  constexpr int not_found = 404, refused = 405;
  if (e.status() != not_found || e.message() != "not found")
    throw client::failure{e};
  cx.agent().guest(guest); // throws where the guest is what is missing
  throw client::failure{client::fault::refused, "this agent does not know \"" + what + '"', refused};
}

std::string guest_id(context& cx, const std::string& asked) {
  return guest_ids(cx, {asked}).front();
}

std::vector<std::string> guest_ids(context& cx, const std::vector<std::string>& asked) {
  std::vector<named> all;
  std::vector<std::string> ids;
  for (const auto& one : asked) {
    if (is_uuid(one)) {
      ids.push_back(lower(one));
      continue;
    }
    if (all.empty())
      all = all_guests(cx.agent());
    ids.push_back(resolve(all, one, "guest"));
  }
  return each_once(std::move(ids));
}

std::string job_id(context& cx, const std::string& asked) {
  return job_ids(cx, {asked}).front();
}

std::vector<std::string> job_ids(context& cx, const std::vector<std::string>& asked) {
  client::patience none{std::chrono::milliseconds{0}};
  return job_ids(cx, asked, none);
}

std::vector<std::string> job_ids(context& cx, const std::vector<std::string>& asked, client::patience& left) {
  std::vector<named> all;
  std::vector<std::string> ids;
  for (const auto& one : asked) {
    if (is_uuid(one)) {
      ids.push_back(lower(one));
      continue;
    }
    if (all.empty())
      all = read_named(left.outlast([&] { return cx.agent().jobs(); }).body, "ID", "");
    ids.push_back(resolve(all, one, "job"));
  }
  return each_once(std::move(ids));
}

std::string token_id(context& cx, const std::string& asked) {
  return resolve(read_named(cx.agent().tokens().body, "id", "name"), asked, "token");
}

std::string unmanaged_id(context& cx, const std::string& asked) {
  if (is_uuid(asked))
    return lower(asked);
  return resolve(read_named(cx.agent().unmanaged().body, "id", "name"), asked, "domain");
}

} // namespace mistify::cli
