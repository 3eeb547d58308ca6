#pragma once

#include "actors/config/config.hpp"
#include "http/protocol/peer.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

struct x509_st;
struct x509_store_ctx_st;
struct x509_store_st;

namespace mistify::http {

/// Which client certificates hold: those that lead to `tls.client_ca` and that `tls.crl` does not revoke, and those whose
/// fingerprint `access.certs` pins. A pin replaces the CA, but not the dates, and it does not outweigh a revocation.
/// Thread-safe; a reload makes a new one.
class client_trust {
public:
  using time_point = std::chrono::system_clock::time_point;

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

  /// Whether a certificate, which held at the handshake, holds at `now`. Verifies each certificate once, and again when
  /// one of its chain has expired or a CRL is out of date.
  verdict judge(const cert_peer& certificate, time_point now) const;
  /// As `judge`, but verifies again.
  verdict judge_anew(const cert_peer& certificate, time_point now) const;

  /// The chain of a certificate that was judged, which a resumed session has no more. Null if it is not known.
  std::shared_ptr<const certificate_chain> chain_of(const std::string& sha256) const;

private:
  struct deleter {
    void operator()(x509_store_st* store) const noexcept;
  };
  /// A verdict, and from when until when it counts, in seconds since the epoch.
  struct finding {
    verdict is;
    std::int64_t from = 0, until = 0;
    std::shared_ptr<const certificate_chain> chain = {};
  };
  static int on_check(int good, x509_store_ctx_st* check);
  bool is_pinned(x509_st* certificate) const;
  finding verify(const cert_peer& certificate, std::int64_t now) const;
  std::int64_t next_change(const x509_store_ctx_st* check, std::int64_t now) const;

  std::set<std::string> pins_; ///< fingerprints
  bool has_ca_ = false;
  std::unique_ptr<x509_store_st, deleter> store_;
  std::vector<std::int64_t> moments_; ///< when a CRL begins, or is out of date
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, finding> known_; ///< by fingerprint
};

} // namespace mistify::http
