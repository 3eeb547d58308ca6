#include "test_certificates.hpp"

#include <atomic>
#include <fstream>
#include <iterator>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace mistify::test {

namespace {

std::shared_ptr<EVP_PKEY> new_key() {
  return {EVP_EC_gen("P-256"), &EVP_PKEY_free};
}

void add_extension(X509* to, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX about{};
  X509V3_set_ctx(&about, issuer, to, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &about, nid, value.c_str());
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

std::shared_ptr<X509> new_certificate(EVP_PKEY* key, const std::string& name, const cert_wish& wish, X509* issuer,
                                      EVP_PKEY* issuer_key, bool authority) {
  static std::atomic<long> serial{1000};
  constexpr long day = 24 * 3600;
  std::shared_ptr<X509> made{X509_new(), &X509_free};
  auto* one = made.get();
  X509_set_version(one, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(one), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(one), -60 * day);
  X509_gmtime_adj(X509_getm_notAfter(one), wish.days * day);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(one), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(one, X509_get_subject_name(issuer ? issuer : one));
  X509_set_pubkey(one, key);
  add_extension(one, issuer ? issuer : one, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wish.san.empty())
    add_extension(one, issuer ? issuer : one, NID_subject_alt_name, wish.san);
  X509_sign(one, issuer_key, EVP_sha256());
  return made;
}

template <class Write>
std::string write_pem(const temp_dir& dir, const std::string& name, Write write) {
  BIO* to = BIO_new(BIO_s_mem());
  write(to);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(to, &bytes);
  auto path = dir.write(name, std::string_view{bytes, static_cast<std::size_t>(size)});
  BIO_free(to);
  return path;
}

cert_files write_files(const temp_dir& dir, const std::string& name, X509* cert, EVP_PKEY* key) {
  cert_files files;
  files.cert = write_pem(dir, name + ".crt", [&](BIO* to) { PEM_write_bio_X509(to, cert); });
  files.key = write_pem(dir, name + ".key",
                        [&](BIO* to) { PEM_write_bio_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr); });
  unsigned char bytes[32];
  unsigned size = 0;
  X509_digest(cert, EVP_sha256(), bytes, &size);
  for (const auto b : bytes)
    files.sha256.append({"0123456789abcdef"[b >> 4U], "0123456789abcdef"[b & 15U]});
  return files;
}

} // namespace

test_ca::test_ca(const std::string& name, int days)
  : key_{new_key()}, cert_{new_certificate(key_.get(), name, {.days = days}, nullptr, key_.get(), true)}, name_{name} {}

cert_files test_ca::issue(const temp_dir& dir, const std::string& name, const cert_wish& wish) {
  const auto key = new_key();
  const auto cert = new_certificate(key.get(), name, wish, cert_.get(), key_.get(), false);
  serials_.push_back(ASN1_INTEGER_get(X509_get_serialNumber(cert.get())));
  return write_files(dir, name, cert.get(), key.get());
}

cert_files test_ca::self_signed(const temp_dir& dir, const std::string& name, const cert_wish& wish) {
  const auto key = new_key();
  const auto cert = new_certificate(key.get(), name, wish, nullptr, key.get(), false);
  return write_files(dir, name, cert.get(), key.get());
}

std::string test_ca::certificate(const temp_dir& dir) const {
  return write_pem(dir, name_ + ".ca", [&](BIO* to) { PEM_write_bio_X509(to, cert_.get()); });
}

std::string test_ca::revocations(const temp_dir& dir, std::size_t from, int days) const {
  const std::shared_ptr<X509_CRL> list{X509_CRL_new(), &X509_CRL_free};
  const std::shared_ptr<ASN1_TIME> begin{X509_gmtime_adj(nullptr, -3600), &ASN1_TIME_free},
    end{X509_gmtime_adj(nullptr, days * 24L * 3600), &ASN1_TIME_free};
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(cert_.get()));
  X509_CRL_set1_lastUpdate(list.get(), begin.get());
  X509_CRL_set1_nextUpdate(list.get(), end.get());
  for (; from < serials_.size(); ++from) {
    auto* revoked = X509_REVOKED_new();
    const std::shared_ptr<ASN1_INTEGER> serial{ASN1_INTEGER_new(), &ASN1_INTEGER_free};
    ASN1_INTEGER_set(serial.get(), serials_[from]);
    X509_REVOKED_set_serialNumber(revoked, serial.get());
    X509_REVOKED_set_revocationDate(revoked, begin.get());
    X509_CRL_add0_revoked(list.get(), revoked);
  }
  X509_CRL_sort(list.get());
  X509_CRL_sign(list.get(), key_.get(), EVP_sha256());
  return write_pem(dir, name_ + ".crl", [&](BIO* to) { PEM_write_bio_X509_CRL(to, list.get()); });
}

} // namespace mistify::test
