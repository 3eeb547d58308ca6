#include "rpc/etcd/v3_codec.hpp"

#include "rpc/base/error.hpp"
#include "rpc/etcd/base64.hpp"
#include "rpc/etcd/reason.hpp"

#include <charconv>
#include <utility>

namespace mistify::rpc::etcd::v3 {

namespace {

using json::node;

[[noreturn]] void refuse(const std::string& why) {
  throw failure{errc::sub_agent_failed, "etcd's answer is not understood: " + why};
}

/// A 64-bit integer, a string in this JSON; 0 if absent.
std::int64_t number_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  if (!value)
    return 0;
  if (value->type() == node::kind::number)
    return value->as_int(member);
  const auto digits = value->as_string(member);
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error != std::errc{} || end != digits.data() + digits.size())
    refuse(std::string{member} + " is no number");
  return out;
}

std::string bytes_of(const node& in, std::string_view member) {
  const auto* value = in.find(member);
  if (!value)
    return {};
  auto bytes = from_base64(value->as_string(member));
  if (!bytes)
    refuse(std::string{member} + " is not base64");
  return *std::move(bytes);
}

entry entry_of(const node& kv) {
  return {bytes_of(kv, "key"), bytes_of(kv, "value"), number_of(kv, "mod_revision"), number_of(kv, "lease")};
}

std::int64_t revision_of(const node& in) {
  const auto* header = in.find("header");
  return header ? number_of(*header, "revision") : 0;
}

/// Parses, and turns what the JSON reader throws into the failure of a bad answer.
template <class F>
auto reading(std::string_view body, F f) {
  try {
    const auto document = json::document::parse(body);
    return f(document.root());
  } catch (const failure& e) {
    if (e.code() == errc::sub_agent_failed)
      throw;
    refuse(e.message());
  }
}

void write_key(json::writer& w, std::string_view key, std::string_view end) {
  w.key("key").value(to_base64(key));
  if (!end.empty())
    w.key("range_end").value(to_base64(end));
}

void write_comparison(json::writer& w, const change& of) {
  w.begin_object().key("key").value(to_base64(of.key)).key("target").value("MOD");
  w.key("mod_revision").value(std::to_string(*of.expected)).end_object();
}

void write_operation(json::writer& w, const change& of, std::int64_t lease) {
  w.begin_object().key(of.value ? "request_put" : "request_delete_range").begin_object();
  w.key("key").value(to_base64(of.key));
  if (of.value)
    w.key("value").value(to_base64(*of.value));
  if (of.value && of.leased)
    w.key("lease").value(std::to_string(lease));
  w.end_object().end_object();
}

} // namespace

std::string end_of(std::string_view prefix) {
  std::string end{prefix};
  while (!end.empty() && end.back() == '\xff')
    end.pop_back();
  if (end.empty())
    return std::string(1, '\0'); // everything from the key on
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::string range_request(std::string_view key, std::string_view end, std::int64_t limit, std::int64_t revision) {
  json::writer w;
  w.begin_object();
  write_key(w, key, end);
  w.key("limit").value(std::to_string(limit)).key("revision").value(std::to_string(revision)).end_object();
  return std::move(w).str();
}

std::string remove_request(std::string_view key, std::string_view end) {
  json::writer w;
  w.begin_object();
  write_key(w, key, end);
  w.end_object();
  return std::move(w).str();
}

std::string transaction(std::span<const change> changes, std::int64_t lease) {
  json::writer w;
  w.begin_object().key("compare").begin_array();
  for (const auto& one : changes)
    if (one.expected)
      write_comparison(w, one);
  w.end_array().key("success").begin_array();
  for (const auto& one : changes)
    write_operation(w, one, lease);
  w.end_array().end_object();
  return std::move(w).str();
}

std::string watch_request(const std::vector<std::string>& prefixes, std::int64_t from) {
  std::string lines;
  for (const auto& prefix : prefixes) {
    json::writer w;
    w.begin_object().key("create_request").begin_object();
    write_key(w, prefix, end_of(prefix));
    w.key("start_revision").value(std::to_string(from)).end_object().end_object();
    lines += std::move(w).str() + '\n';
  }
  return lines;
}

std::string lease_request(std::string_view name, std::int64_t value) {
  json::writer w;
  w.begin_object().key(name).value(std::to_string(value)).end_object();
  return std::move(w).str();
}

std::string login_request(std::string_view user, std::string_view password) {
  json::writer w;
  w.begin_object().key("name").value(user).key("password").value(password).end_object();
  return std::move(w).str();
}

range_answer read_range(std::string_view body) {
  return reading(body, [](const node& root) {
    range_answer out;
    out.revision = revision_of(root);
    if (const auto* kvs = root.find("kvs"))
      for (const node& kv : kvs->items("kvs"))
        out.entries.push_back(entry_of(kv));
    const auto* more = root.find("more");
    out.more = more && more->as_bool("more");
    return out;
  });
}

transaction_answer read_transaction(std::string_view body) {
  return reading(body, [](const node& root) {
    const auto* succeeded = root.find("succeeded");
    return transaction_answer{revision_of(root), succeeded && succeeded->as_bool("succeeded")};
  });
}

std::int64_t read_number(std::string_view body, std::string_view member) {
  return reading(body, [&](const node& root) {
    const auto* result = root.find("result");
    return number_of(result ? *result : root, member);
  });
}

std::string read_text(std::string_view body, std::string_view member) {
  return reading(body, [&](const node& root) {
    const auto* value = root.find(member);
    return value ? value->as_string(member) : std::string{};
  });
}

void read_watch_line(std::string_view line, news& to) {
  reading(line, [&](const node& root) {
    const auto* result = root.find("result");
    if (!result) {
      to.state = news::condition::lost;
      to.why = read_error(line);
      return;
    }
    if (const auto* events = result->find("events"))
      for (const node& one : events->items("events")) {
        const auto* kv = one.find("kv");
        const auto* type = one.find("type");
        if (kv)
          to.events.push_back({entry_of(*kv), type && type->as_string("type") == "DELETE"});
      }
    const auto* canceled = result->find("canceled");
    if (!canceled || !canceled->as_bool("canceled"))
      return;
    to.state = number_of(*result, "compact_revision") > 0 ? news::condition::compacted : news::condition::lost;
    const auto* reason = result->find("cancel_reason");
    to.why = reason ? cut_reason(reason->as_string("cancel_reason")) : "etcd ended the watch";
  });
}

std::string read_error(std::string_view body) {
  try {
    const auto document = json::document::parse(body);
    const node* at = &document.root();
    if (const auto* error = at->find("error"); error && error->type() == node::kind::object)
      at = error;
    for (const auto member : {"message", "error"})
      if (const auto* text = at->find(member); text && text->type() == node::kind::string)
        return cut_reason(text->as_string(member));
  } catch (const failure&) { // not etcd's own
  }
  return cut_reason(body);
}

} // namespace mistify::rpc::etcd::v3
