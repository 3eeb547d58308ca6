#pragma once

#include "http/protocol/peer.hpp"

#include <cstdint>
#include <memory>
#include <openssl/x509.h>
#include <string>
#include <vector>

/// Client certificates as OpenSSL has them.
namespace mistify::http {

struct x509_deleter {
  void operator()(X509* certificate) const noexcept { ::X509_free(certificate); }
};
using x509_ptr = std::unique_ptr<X509, x509_deleter>;

/// A certificate and what the client sent with it to be led to its CA.
struct certificate_chain {
  x509_ptr leaf; ///< never null
  std::vector<x509_ptr> between;
};

/// SHA-256 of the DER form in lower-case hex.
std::string fingerprint_of(X509* certificate);

/// What a certificate says. `by_ca` and `chain` are not set. Names with control characters are empty, and so is a common
/// name that is not the only one.
cert_peer read_certificate(X509* certificate);

/// Seconds since the epoch; 0, which is long past, for a time that cannot be read or is null.
std::int64_t seconds_of(const ASN1_TIME* time);

/// The reason of OpenSSL's latest error. Empties its queue.
std::string openssl_reason();

} // namespace mistify::http
