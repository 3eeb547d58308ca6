#include "browser.hpp"

#include "test/http/test_certificates.hpp"
#include "test/system/daemon.hpp"
#include "test/system/json_path.hpp"
#include "test/system/sockets.hpp"
#include "test/system/tool.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace mistify::test;
namespace fs = std::filesystem;

namespace {

/// Where Chromium looks for what an administrator decides.
const fs::path policies = "/etc/chromium/policies/managed";

/// While it lives, Chromium presents its certificate to this origin without asking. Needs root.
class chosen_certificate {
public:
  explicit chosen_certificate(const std::string& origin)
    : file_{policies / ("mistify-test-" + std::to_string(::getpid()) + ".json")} {
    made_ = !fs::exists(policies.parent_path());
    fs::create_directories(policies);
    const auto rule = R"({"pattern":)" + json_string(origin) + R"(,"filter":{}})";
    std::ofstream{file_} << R"({"AutoSelectCertificateForUrls":[)" << json_string(rule) << "]}";
  }
  ~chosen_certificate() {
    std::error_code ignored;
    fs::remove(file_, ignored);
    if (made_)
      fs::remove_all(policies.parent_path(), ignored);
  }
  chosen_certificate(const chosen_certificate&) = delete;
  chosen_certificate& operator=(const chosen_certificate&) = delete;

private:
  fs::path file_;
  bool made_;
};

void expect_run(const std::string& command) {
  const auto ran = run_tool(command);
  INFO(command + ": " + ran.output);
  REQUIRE(ran.code == 0);
}

/// A home whose browser trusts the CA, and has the certificate.
void fill_home(const fs::path& home, const std::string& ca, const cert_files& own) {
  const auto store = (home / ".pki/nssdb").string(), bundle = (home / "own.p12").string();
  fs::create_directories(store);
  expect_run("certutil -N -d sql:" + store + " --empty-password");
  expect_run("certutil -A -d sql:" + store + " -n ca -t C,, -i " + ca);
  expect_run("openssl pkcs12 -export -passout pass: -in " + own.cert + " -inkey " + own.key + " -out " + bundle);
  expect_run("pk12util -d sql:" + store + " -W '' -i " + bundle);
}

/// An agent that serves over TLS, and takes a certificate named "boss" for an admin and one named "watcher" for a viewer.
struct tls_pages {
  temp_dir dir;
  test_ca ca{"ca"};
  cert_files server = ca.issue(dir, "server", {"IP:127.0.0.1", 30});
  std::uint16_t port = free_port();
  std::string origin = "https://127.0.0.1:" + std::to_string(port);
  process agent{{"-a", "127.0.0.1:" + std::to_string(port), "-c", write_config()}, (dir.path() / "stderr").string()};
  chosen_certificate chosen{origin};

  std::string write_config() const {
    const auto access = R"([{"san":"boss","role":"admin"},{"san":"watcher","role":"viewer"}])";
    return dir.write("agent.json", R"({"dbpath":)" + json_string((dir.path() / "agent.db").string()) +
                                     R"(,"tls":{"cert":)" + json_string(server.cert) + R"(,"key":)" +
                                     json_string(server.key) + R"(,"client_ca":)" + json_string(ca.certificate(dir)) +
                                     R"(},"access":{"certs":)" + access + "}}");
  }

  /// The home of a browser whose user has a certificate with this name.
  std::string home_of(const std::string& name) {
    const auto home = dir.path() / ("home-" + name);
    fill_home(home, ca.certificate(dir), ca.issue(dir, name, {"DNS:" + name, 30}));
    return home.string();
  }
};

} // namespace

TEST_CASE("a client certificate opens /debug/actors and /docs in a browser, without a token") {
  if (::geteuid() != 0) {
    WARN("only root can choose a browser's certificate");
    return;
  }
  tls_pages agent;
  browser b{agent.home_of("boss")};
  b.open(agent.origin + "/debug/actors");
  CHECK(b.shows("#live", "live"));
  CHECK(b.becomes("document.querySelector('#token-dialog') === null"));
  CHECK(b.becomes("document.querySelector('[data-total=actors]').textContent > 0"));
  b.screenshot("actors_with_certificate");
  b.open(agent.origin + "/docs");
  REQUIRE(b.becomes("!document.querySelector('main').hasAttribute('aria-busy')"));
  CHECK(b.shows("#identity", "boss (admin)"));
  CHECK(b.errors() == "[]");
}

TEST_CASE("a certificate without the right for /debug/actors is told so, and may bring a token") {
  if (::geteuid() != 0)
    return;
  tls_pages agent;
  browser b{agent.home_of("watcher")};
  b.open(agent.origin + "/debug/actors");
  CHECK(b.shows("#token-dialog", "this needs the scope debug"));
  b.open(agent.origin + "/docs");
  CHECK(b.shows("#identity", "watcher (viewer)"));
}
