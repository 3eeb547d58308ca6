#pragma once

#include "test/system/temp_dir.hpp"

#include <memory>
#include <openssl/x509.h>
#include <string>
#include <vector>

namespace mistify::test {

/// What a test's certificate says. `days` < 0: it has expired.
struct cert_wish {
  std::string san = {}; ///< such as "DNS:controller"; "": none
  int days = 30;
};

/// A certificate and its key in PEM files.
struct cert_files {
  std::string cert, key, sha256;
};

/// A CA of a test, and files made with it. Certificates of one CA differ in their serial numbers.
class test_ca {
public:
  explicit test_ca(const std::string& name, int days = 30);

  /// The files are in `dir`, named after `name`, which is the common name too.
  cert_files issue(const temp_dir& dir, const std::string& name, const cert_wish& wish = {});
  /// A certificate that no CA signed.
  static cert_files self_signed(const temp_dir& dir, const std::string& name, const cert_wish& wish = {});

  std::string certificate(const temp_dir& dir) const;
  /// A CRL with all that were issued since `from`, counted from 0; `from` may be the number of issued ones: none is revoked.
  /// It is out of date in `days`.
  std::string revocations(const temp_dir& dir, std::size_t from, int days = 1) const;

private:
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> cert_;
  std::string name_;
  std::vector<long> serials_;
};

} // namespace mistify::test
