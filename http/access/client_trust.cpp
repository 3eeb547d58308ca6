#include "http/access/client_trust.hpp"

#include "http/access/x509.hpp"
#include "rpc/base/error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

namespace mistify::http {

namespace {

constexpr std::size_t most_known = 4096;

struct file_deleter {
  void operator()(BIO* file) const noexcept { ::BIO_free(file); }
};
struct crl_deleter {
  void operator()(X509_CRL* list) const noexcept { ::X509_CRL_free(list); }
};
struct check_deleter {
  void operator()(X509_STORE_CTX* check) const noexcept { ::X509_STORE_CTX_free(check); }
};
struct stack_deleter {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};

/// Where a store has its `client_trust`, and a check of `judge` whether a pin was needed.
int trust_index() {
  static const int index = ::CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int pin_index() {
  static const int index = ::X509_STORE_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

[[noreturn]] void refuse(const char* key, const std::string& file, const std::string& why) {
  throw rpc::failure{rpc::errc::config_invalid, std::string{"tls."} + key + " \"" + file + "\": " + why};
}

/// Calls `add` with each object that `read` finds in a PEM file; there has to be one.
template <class Read, class Add>
void read_pem(const char* key, const std::string& file, Read read, Add add) {
  const std::unique_ptr<BIO, file_deleter> in{::BIO_new_file(file.c_str(), "r")};
  if (!in)
    refuse(key, file, std::strerror(errno));
  int n = 0;
  ::ERR_clear_error();
  for (; auto one = read(in.get()); ++n)
    if (add(one.get()) != 1)
      refuse(key, file, openssl_reason());
  const bool at_end = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const auto reason = openssl_reason();
  if (n == 0 || !at_end)
    refuse(key, file, reason);
}

void add_authority(X509_STORE* store, const std::string& file) {
  const auto read = [](BIO* in) { return x509_ptr{::PEM_read_bio_X509(in, nullptr, nullptr, nullptr)}; };
  read_pem("client_ca", file, read, [&](X509* one) { return ::X509_STORE_add_cert(store, one); });
}

/// Returns when they begin and when they are out of date.
std::vector<std::int64_t> add_revocations(X509_STORE* store, const std::string& file) {
  std::vector<std::int64_t> moments;
  const auto read = [](BIO* in) {
    return std::unique_ptr<X509_CRL, crl_deleter>{::PEM_read_bio_X509_CRL(in, nullptr, nullptr, nullptr)};
  };
  read_pem("crl", file, read, [&](X509_CRL* one) {
    moments.push_back(seconds_of(::X509_CRL_get0_lastUpdate(one)));
    moments.push_back(seconds_of(::X509_CRL_get0_nextUpdate(one)));
    return ::X509_STORE_add_crl(store, one);
  });
  ::X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return moments;
}

std::set<std::string> pins_of(const actors::config& settings) {
  std::set<std::string> pins;
  if (settings.access)
    for (const auto& rule : settings.access->certs)
      if (!rule.sha256.empty())
        pins.insert(rule.sha256);
  return pins;
}

/// What no pin outweighs.
bool is_final(int error, int depth) {
  return depth == 0 && (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID ||
                        error == X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD ||
                        error == X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD || error == X509_V_ERR_CERT_REVOKED);
}

} // namespace

void client_trust::deleter::operator()(x509_store_st* store) const noexcept {
  ::X509_STORE_free(store);
}

client_trust::client_trust(const actors::config& settings) : pins_{pins_of(settings)}, store_{::X509_STORE_new()} {
  if (!store_)
    throw std::bad_alloc{};
  ::X509_STORE_set_ex_data(store_.get(), trust_index(), this);
  ::X509_STORE_set_verify_cb(store_.get(), &client_trust::on_check);
  if (!settings.tls || settings.tls->client_ca.empty())
    return;
  has_ca_ = true;
  add_authority(store_.get(), settings.tls->client_ca);
  if (!settings.tls->crl.empty())
    moments_ = add_revocations(store_.get(), settings.tls->crl);
}

/// OpenSSL calls it for each certificate of a chain and for each fault.
int client_trust::on_check(int good, X509_STORE_CTX* check) {
  if (good == 1)
    return 1;
  if (is_final(::X509_STORE_CTX_get_error(check), ::X509_STORE_CTX_get_error_depth(check)))
    return 0;
  const auto* trust =
    static_cast<const client_trust*>(::X509_STORE_get_ex_data(::X509_STORE_CTX_get0_store(check), trust_index()));
  if (!trust->is_pinned(::X509_STORE_CTX_get0_cert(check)))
    return 0;
  if (auto* needed = static_cast<bool*>(::X509_STORE_CTX_get_ex_data(check, pin_index())))
    *needed = true;
  return 1;
}

bool client_trust::is_pinned(X509* certificate) const {
  return !pins_.empty() && pins_.contains(fingerprint_of(certificate));
}

client_trust::verdict client_trust::judge(const cert_peer& certificate, time_point now) const {
  const auto at = std::chrono::system_clock::to_time_t(now);
  {
    const std::lock_guard lock{mutex_};
    const auto found = known_.find(certificate.sha256);
    if (found != known_.end() && found->second.from <= at && at < found->second.until)
      return found->second.is;
  }
  return judge_anew(certificate, now);
}

client_trust::verdict client_trust::judge_anew(const cert_peer& certificate, time_point now) const {
  if (!certificate.chain)
    return {true, certificate.by_ca};
  auto found = verify(certificate, std::chrono::system_clock::to_time_t(now));
  const auto is = found.is;
  const std::lock_guard lock{mutex_};
  if (known_.size() >= most_known)
    known_.clear();
  known_.insert_or_assign(certificate.sha256, std::move(found));
  return is;
}

std::shared_ptr<const certificate_chain> client_trust::chain_of(const std::string& sha256) const {
  const std::lock_guard lock{mutex_};
  const auto found = known_.find(sha256);
  return found == known_.end() ? nullptr : found->second.chain;
}

client_trust::finding client_trust::verify(const cert_peer& certificate, std::int64_t now) const {
  const std::unique_ptr<X509_STORE_CTX, check_deleter> check{::X509_STORE_CTX_new()};
  const std::unique_ptr<STACK_OF(X509), stack_deleter> between{sk_X509_new_null()};
  if (!check || !between)
    throw std::bad_alloc{};
  for (const auto& one : certificate.chain->between)
    sk_X509_push(between.get(), one.get());
  bool pin_needed = false;
  bool holds = ::X509_STORE_CTX_init(check.get(), store_.get(), certificate.chain->leaf.get(), between.get()) == 1 &&
               ::X509_STORE_CTX_set_ex_data(check.get(), pin_index(), &pin_needed) == 1 &&
               ::X509_STORE_CTX_set_default(check.get(), "ssl_client") == 1;
  if (holds) {
    ::X509_STORE_CTX_set_time(check.get(), 0, now);
    holds = ::X509_verify_cert(check.get()) == 1;
  }
  ::ERR_clear_error();
  return {{holds, holds && !pin_needed}, now, next_change(check.get(), now), certificate.chain};
}

/// The first moment after `now` at which the same certificates may be judged otherwise.
std::int64_t client_trust::next_change(const X509_STORE_CTX* check, std::int64_t now) const {
  auto next = std::numeric_limits<std::int64_t>::max();
  const auto note = [&](std::int64_t moment) {
    if (moment > now)
      next = std::min(next, moment);
  };
  for (const auto moment : moments_)
    note(moment);
  const auto* chain = ::X509_STORE_CTX_get0_chain(check);
  for (int i = 0; chain && i < sk_X509_num(chain); ++i) {
    note(seconds_of(::X509_get0_notBefore(sk_X509_value(chain, i))));
    note(seconds_of(::X509_get0_notAfter(sk_X509_value(chain, i))));
  }
  return next;
}

} // namespace mistify::http
