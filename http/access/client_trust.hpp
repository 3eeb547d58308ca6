#pragma once

#include "actors/config/config.hpp"
#include "http/protocol/peer.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

struct x509_st;
struct x509_store_ctx_st;
struct x509_store_st;

namespace mistify::http {

/// Which client certificates hold: those that lead to `tls.client_ca` and that `tls.crl` does not revoke, and those whose
/// fingerprint `access.certs` pins. A pin replaces the CA, but not the dates, and it does not outweigh a revocation.
/// Thread-safe; a reload makes a new one.
class client_trust {
public:
  struct verdict {
    bool holds = false;
    bool by_ca = false; ///< it leads to the CA
  };

  /// Reads the files. Throws `failure{config_invalid}` that names the file and the reason.
  explicit client_trust(const actors::config& settings);
  client_trust(const client_trust&) = delete;
  client_trust& operator=(const client_trust&) = delete;

  /// False if no certificate would hold, so that none needs to be asked for.
  bool asks() const noexcept { return has_ca_ || !pins_.empty(); }
  /// Whether clients may have certificates that no CA signed.
  bool has_pins() const noexcept { return !pins_.empty(); }

  /// Judges handshakes.
  x509_store_st* store() const noexcept { return store_.get(); }

  /// Whether a certificate, which held at the handshake, holds still. Verifies each certificate once.
  verdict judge(const cert_peer& certificate) const;
  /// As `judge`, but verifies again.
  verdict judge_anew(const cert_peer& certificate) const;

private:
  struct deleter {
    void operator()(x509_store_st* store) const noexcept;
  };
  static int on_check(int good, x509_store_ctx_st* check);
  bool is_pinned(x509_st* certificate) const;
  verdict verify(const cert_peer& certificate) const;

  std::set<std::string> pins_; ///< fingerprints
  bool has_ca_ = false;
  std::unique_ptr<x509_store_st, deleter> store_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, verdict> known_; ///< by fingerprint
};

} // namespace mistify::http
