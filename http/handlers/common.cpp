#include "http/handlers/common.hpp"

#include "rpc/codec.hpp"

#include <openssl/evp.h>

#include <array>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

/// Of a guest's metadata; sub-agents read it, clients only write it.
constexpr const char* write_only_key = "vnc.password";

std::string sha256(const std::vector<std::string_view>& parts) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  EVP_DigestInit_ex(state.get(), EVP_sha256(), nullptr);
  for (const auto part : parts) {
    EVP_DigestUpdate(state.get(), part.data(), part.size());
    EVP_DigestUpdate(state.get(), "", 1); // a NUL, so that no two splits of one text are the same
  }
  EVP_DigestFinal_ex(state.get(), digest.data(), &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

} // namespace

answer json_answer(int status, std::string body) {
  answer out;
  out.status = status;
  out.body = std::move(body);
  out.body += '\n';
  return out;
}

answer page_answer(std::string_view page) {
  answer out;
  out.content_type = "text/html; charset=utf-8";
  out.headers.emplace_back("Content-Security-Policy",
                           "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
                           "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  out.headers.emplace_back("Cache-Control", "no-cache");       // the page of another version must not stay
  out.headers.emplace_back("Vary", "Accept, Accept-Encoding"); // the same path may have JSON for others
  out.body = page;
  return out;
}

answer accepted(std::string body, const store::queued_job& queued) {
  auto out = json_answer(202, std::move(body));
  out.headers.emplace_back("X-Guest-Job-ID", queued.job.id);
  out.about = {queued.job.guest_id, queued.job.id, queued.job.action, queued.repeated};
  return out;
}

answer accepted_guest(const store::queued_job& queued) {
  return accepted(public_guest(queued.guest_doc), queued);
}

/// Most guests have none of it, and are not parsed: the key stands in the text of each one that has.
std::string public_guest(std::string doc) {
  if (doc.find(write_only_key) == doc.npos)
    return doc;
  auto guest = rpc::decode_guest(doc);
  guest.metadata = public_metadata(std::move(guest.metadata));
  return rpc::encode(guest);
}

rpc::metadata_map public_metadata(rpc::metadata_map metadata) {
  metadata.erase(write_only_key);
  return metadata;
}

answer accepted_job(const store::queued_job& queued) {
  return accepted(rpc::encode(queued.job), queued);
}

std::string json_array(const std::vector<std::string>& elements) {
  rpc::json::writer out;
  out.begin_array();
  for (const auto& element : elements)
    out.raw(element);
  out.end_array();
  return std::move(out).str();
}

store::guest_ptr need_guest(const context& cx, const std::string& id) {
  if (auto guest = cx.guests.find(id))
    return guest;
  throw failure{errc::not_found, "not found"};
}

actors::action_ptr need_action(const context& cx, std::string_view name) {
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

request_identity identify(const request& from, std::string_view canonical) {
  constexpr std::size_t longest_key = 255;
  const auto key = from.header("idempotency-key");
  if (key.size() > longest_key)
    throw failure{errc::invalid_request, "Idempotency-Key: longer than 255 bytes"};
  return {std::string{key}, sha256({from.method, from.path, canonical}), from.id};
}

std::optional<store::queued_job> repeated(const context& cx, const request_identity& who) {
  return cx.jobs.repeated(who.idempotency_key, who.digest);
}

actors::job_request make_job(const request_identity& who, actors::action_ptr what, std::string stage_request) {
  return {std::move(what), std::move(stage_request), who.idempotency_key, who.digest, who.request_id};
}

bool means_absent(const failure& why) {
  return why.code() == errc::sub_agent_failed && (why.message() == "not found" || why.message() == "no such image");
}

} // namespace mistify::http::handlers
