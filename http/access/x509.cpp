#include "http/access/x509.hpp"

#include "rpc/base/cut_text.hpp"

#include <array>
#include <ctime>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string_view>

namespace mistify::http {

namespace {

struct names_deleter {
  void operator()(GENERAL_NAMES* names) const noexcept { ::GENERAL_NAMES_free(names); }
};
using names_ptr = std::unique_ptr<GENERAL_NAMES, names_deleter>;

/// "" for a text that no name may be.
std::string name_in(const ASN1_STRING* text) {
  const auto* bytes = reinterpret_cast<const char*>(::ASN1_STRING_get0_data(text));
  std::string name(bytes, static_cast<std::size_t>(::ASN1_STRING_length(text)));
  return rpc::has_control(name) ? std::string{} : name;
}

std::vector<std::string> alternative_names(X509* certificate) {
  const names_ptr all{
    static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::vector<std::string> names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* one = sk_GENERAL_NAME_value(all.get(), i);
    if (one->type == GEN_URI || one->type == GEN_DNS)
      names.push_back(name_in(one->d.ia5)); // one that may not be counts too: then the common name does not
  }
  return names;
}

std::string common_name(X509* certificate) {
  auto* subject = ::X509_get_subject_name(certificate);
  const int at = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || ::X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
    return {};
  unsigned char* bytes = nullptr;
  const auto* value = ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, at));
  const int size = ::ASN1_STRING_to_UTF8(&bytes, value);
  if (size < 0)
    return {};
  std::string name(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  ::OPENSSL_free(bytes);
  return rpc::has_control(name) ? std::string{} : name;
}

} // namespace

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return time && ::ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
}

std::string fingerprint_of(X509* certificate) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  std::string text;
  if (::X509_digest(certificate, ::EVP_sha256(), bytes.data(), &size) != 1)
    return text;
  for (unsigned i = 0; i < size; ++i)
    text.append({digits[bytes[i] >> 4U], digits[bytes[i] & 15U]});
  return text;
}

cert_peer read_certificate(X509* certificate) {
  cert_peer is;
  is.sans = alternative_names(certificate);
  if (::X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0) // names of other types count too
    is.common_name = common_name(certificate);
  is.sha256 = fingerprint_of(certificate);
  is.ends_at = seconds_of(::X509_get0_notAfter(certificate));
  return is;
}

std::string openssl_reason() {
  const auto error = ::ERR_peek_last_error();
  const auto* reason = ::ERR_reason_error_string(error);
  ::ERR_clear_error();
  return reason ? reason : "it cannot be used";
}

} // namespace mistify::http
