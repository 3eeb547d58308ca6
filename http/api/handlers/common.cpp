#include "http/api/handlers/common.hpp"

#include "actors/ids.hpp"
#include "http/access/gatekeeper.hpp"
#include "http/access/principal.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/model/codec.hpp"
#include "store/guest_tag.hpp"

#include <openssl/evp.h>

#include <array>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

void append_hex(std::string& out, unsigned char byte) {
  out += "0123456789abcdef"[byte >> 4];
  out += "0123456789abcdef"[byte & 15];
}

std::string sha256(const std::vector<std::string_view>& parts) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  EVP_DigestInit_ex(state.get(), EVP_sha256(), nullptr);
  for (const auto part : parts) {
    EVP_DigestUpdate(state.get(), part.data(), part.size());
    EVP_DigestUpdate(state.get(), "", 1); // a NUL byte, so that different splits of one text have different digests
  }
  EVP_DigestFinal_ex(state.get(), digest.data(), &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i)
    append_hex(hex, digest[i]);
  return hex;
}

/// True for characters that need no escape in a path segment (RFC 3986, section 3.3).
bool is_plain(char c) {
  constexpr std::string_view others = "-._~!$&'()*+,;=:@";
  return rpc::text::is_digit(c) || (rpc::text::lower(c) >= 'a' && rpc::text::lower(c) <= 'z') ||
         others.find(c) != others.npos;
}

/// Returns one form for all spellings of a path: escapes only where needed, no trailing slash, the guest's id in
/// lower case. A plainly spelled path is returned unchanged.
std::string canonical_path(const std::vector<std::string>& segments) {
  const bool has_guest = segments.size() > 1 && segments[0] == "guests" && actors::is_uuid(segments[1]);
  std::string out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    out += '/';
    for (const char c : segments[i]) {
      if (is_plain(c))
        out += has_guest && i == 1 ? rpc::text::lower(c) : c;
      else
        append_hex(out += '%', static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// The job's guest is mostly as it is published, and its tag known then.
std::string tag_of(context& cx, const store::queued_job& queued) {
  const auto key = [&cx] { return cx.host.tag_key(); };
  const auto published = cx.guests.find(queued.job.guest_id);
  return published && published->doc == queued.guest_doc ? cx.tags.of(published, key).tag
                                                         : store::guest_tag(queued.guest_doc, key());
}

/// Keys of one identity are another one's; those of clients without identity share one space.
std::string key_of(const principal& who) {
  constexpr char separator = '\x1f'; // no header can hold it
  return who.key.empty() ? std::string{} : who.key + separator;
}

} // namespace

answer json_answer(int status, std::string body) {
  answer out;
  out.status = status;
  out.body = std::move(body += '\n');
  return out;
}

answer page_part(std::string_view part, std::string_view content_type) {
  answer out;
  out.content_type = content_type;
  out.headers = {
    // No inline script or style: text that is injected into a page has no effect.
    {"Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
                                "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-cache"}, // pages of an earlier version must not be cached
  };
  out.body = std::string{part};
  return out;
}

answer page_answer(std::string_view page) {
  auto out = page_part(page, "text/html; charset=utf-8");
  out.headers.emplace_back("Vary", "Accept, Accept-Encoding"); // the same path may also return JSON
  return out;
}

answer accepted(std::string body, const store::queued_job& queued) {
  auto out = json_answer(202, std::move(body));
  out.headers.emplace_back("X-Guest-Job-ID", queued.job.id);
  out.about = answer_subject{queued.job.guest_id, queued.job.id, queued.job.action, queued.repeated, !queued.repeated};
  return out;
}

answer accepted_guest(context& cx, const store::queued_job& queued) {
  auto out = accepted(public_guest(queued.guest_doc), queued);
  out.headers.emplace_back("ETag", tag_of(cx, queued));
  return out;
}

answer accepted_job(const store::queued_job& queued) {
  return accepted(rpc::encode(queued.job), queued);
}

answer changed(answer out) {
  out.subject().audited = true;
  return out;
}

std::function<bool()> still_allowed(const context& cx, const request& from) {
  static const peer_identity unknown{};
  return [&gate = cx.gate, who = from.who, client = from.client, token = std::string{from.header("authorization")}] {
    return gate.still_holds(*who, client ? *client : unknown, token, gatekeeper::clock::now());
  };
}

std::string json_array(const std::vector<std::string>& elements) {
  rpc::json::writer out;
  out.begin_array();
  for (const auto& element : elements)
    out.raw(element);
  out.end_array();
  return std::move(out).str();
}

void expect_unlimited(const principal& who) {
  if (who.guests)
    throw failure{errc::forbidden, "not allowed: this identity is limited to some guests"};
}

store::guest_ptr require_guest(const context& cx, const std::string& id) {
  if (auto guest = cx.guests.find(id))
    return guest;
  throw failure{errc::not_found, "not found"};
}

actors::action_ptr require_action(const context& cx, std::string_view name) {
  if (auto action = cx.settings.find_action(name))
    return action;
  throw failure{errc::not_configured, std::string{name} + ": Not configured"};
}

std::string action_for(std::string_view guest_type, std::string_view action) {
  std::string name{action};
  if (guest_type != "container")
    return name;
  if (name.front() >= 'a' && name.front() <= 'z')
    name.front() = static_cast<char>(name.front() - 'a' + 'A');
  return "container" + name;
}

void expect_no_controls(const rpc::guest& guest) {
  expect_no_controls_in({{"type", guest.type}, {"image", guest.image}});
  for (const auto& n : guest.nics)
    expect_no_controls_in({{"nic name", n.name},
                           {"nic network", n.network},
                           {"nic model", n.model},
                           {"nic mac", n.mac},
                           {"nic address", n.address},
                           {"nic netmask", n.netmask},
                           {"nic gateway", n.gateway},
                           {"nic device", n.device}});
  for (const auto& d : guest.disks)
    expect_no_controls_in({{"disk bus", d.bus},
                           {"disk device", d.device},
                           {"disk volume", d.volume},
                           {"disk image", d.image},
                           {"disk source", d.source}});
}

void expect_no_controls_in(std::initializer_list<std::pair<std::string_view, std::string_view>> named) {
  for (const auto& [name, text] : named)
    if (rpc::has_control(text))
      throw failure{errc::invalid_request, std::string{name} + ": control characters are not allowed"};
}

request_identity identify(const request& from, std::string_view canonical, repeats how) {
  constexpr std::size_t longest_key = 255;
  if (from.headers.is_repeated("idempotency-key"))
    throw failure{errc::invalid_request, "Idempotency-Key: there is more than one"};
  const auto key = from.header("idempotency-key");
  if (key.size() > longest_key)
    throw failure{errc::invalid_request, "Idempotency-Key: longer than 255 bytes"};
  return {key.empty() ? std::string{} : key_of(*from.who) + std::string{key},
          key.empty() && how == repeats::by_key ? std::string{}
                                                : sha256({from.method, canonical_path(from.segments), canonical}),
          from.id,
          audit_of(from, 202),
          if_match_of(from),
          from.who->name};
}

std::string if_match_of(const request& from) {
  const auto tags = from.header("if-match");
  if (tags.empty() && from.headers.contains("if-match"))
    throw failure{errc::invalid_request, "If-Match: names no entity tag"};
  return std::string{tags};
}

store::audit_ptr audit_of(const request& from, int status, std::string action) {
  if (!from.audit)
    return nullptr;
  auto entry = std::make_shared<store::audit_entry>(*from.audit);
  entry->status = status;
  entry->decision = "accepted";
  entry->action = std::move(action);
  return entry;
}

std::optional<store::queued_job> repeated(const context& cx, const request_identity& who) {
  return cx.jobs.repeated(who.idempotency_key, who.digest);
}

actors::job_request make_job(const request_identity& who, actors::action_ptr what, std::string stage_request) {
  actors::job_request job{std::move(what), std::move(stage_request), who.idempotency_key, who.digest, who.request_id};
  job.if_match = who.if_match;
  job.audit = who.audit;
  job.user = who.user;
  return job;
}

bool means_absent(const failure& why) {
  return why.code() == errc::sub_agent_not_found ||
         (why.code() == errc::sub_agent_failed && (why.message() == "not found" || why.message() == "no such image"));
}

} // namespace mistify::http::handlers
