#include "command_run.hpp"
#include "http/client/etcd_reader.hpp"
#include "http/client/failure.hpp"
#include "test/etcd/real_etcd.hpp"
#include "test/http/test_certificates.hpp"
#include "test/system/temp_dir.hpp"
#include "test/system/tool.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <optional>

namespace mistify::test {

using client::etcd_reader;
using client::etcd_settings;
using client::fault;

namespace {

etcd_settings settings_of(const std::vector<std::string>& urls) {
  etcd_settings how;
  for (const auto& url : urls)
    how.members.push_back(client::parse_address(url));
  return how;
}

std::optional<fault> fault_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const client::failure& e) {
    return e.code();
  }
  return std::nullopt;
}

std::string names_of(const std::vector<rpc::etcd::entry>& all) {
  std::string names;
  for (const auto& one : all)
    names += (names.empty() ? "" : " ") + one.key + "=" + one.value;
  return names;
}

} // namespace

TEST_CASE("Keys are read from a real etcd, from several pages, and from whichever member serves", "[etcd]") {
  real_etcd store{{.members = 3}};
  store.ctl("put /a/2 two");
  store.ctl("put /a/1/x one");
  store.ctl("put /ab none");
  etcd_reader reader{settings_of(store.urls())};
  CHECK(names_of(reader.list("/a/")) == "/a/1/x=one /a/2=two");
  CHECK(reader.list("/none/").empty());
  store.kill(0);
  CHECK(names_of(reader.list("/a/")) == "/a/1/x=one /a/2=two");
  CHECK(names_of(etcd_reader{settings_of(store.urls())}.list("/a/")) == "/a/1/x=one /a/2=two");

  const temp_dir dir;
  for (int from = 0; from < 2100; from += 100) {
    std::string operations = "\n";
    for (int i = from; i < from + 100; ++i)
      operations += "put /many/" + std::to_string(10'000 + i) + " v\n";
    store.ctl("txn < " + dir.write("txn", operations + "\n\n"));
  }
  const auto all = reader.list("/many/");
  REQUIRE(all.size() == 2100);
  CHECK(all.front().key == "/many/10000");
  CHECK(all.back().key == "/many/12099");
  CHECK(std::ranges::is_sorted(all, {}, &rpc::etcd::entry::key));
}

TEST_CASE("A user of etcd logs in, and is refused without rights", "[etcd]") {
  const real_etcd store{{.arguments = {"--enable-v2"}}};
  store.ctl("put /a/1 one");
  auto how = settings_of(store.urls());
  how.user = "root", how.password = "s3cret";
  CHECK(names_of(etcd_reader{how}.list("/a/")) == "/a/1=one"); // where nobody has to log in
  store.ctl("user add root:s3cret");
  store.ctl("user grant-role root root");
  store.ctl("auth enable");
  CHECK(names_of(etcd_reader{how}.list("/a/")) == "/a/1=one");
  how.password = "wrong";
  CHECK(fault_of([&] { etcd_reader{how}.list("/a/"); }) == fault::refused);
  CHECK(fault_of([&] { etcd_reader{settings_of(store.urls())}.list("/a/"); }) == fault::refused);
  const std::vector<std::string> hosts{"--cluster", store.urls().front(), "--cluster-user", "root", "hosts"};
  CHECK(run_command(hosts, {{"MISTIFY_CLUSTER_PASSWORD", "s3cret"}}).code == 0);
  const auto denied = run_command(hosts, {{"MISTIFY_CLUSTER_PASSWORD", "wrong"}});
  CHECK(denied.code == 4);
  CHECK(denied.err.find("wrong") == std::string::npos);
}

TEST_CASE("The keys of the v2 API are another store", "[etcd]") {
  const real_etcd store{{.arguments = {"--enable-v2"}}};
  store.ctl("put /a/1 v3");
  auto how = settings_of(store.urls());
  how.api = rpc::etcd::api::v2;
  CHECK(etcd_reader{how}.list("/a/").empty());
  const auto put = [&](const std::string& key) {
    const auto made = run_tool("curl -sf -X PUT " + store.urls().front() + "/v2/keys" + key + " -d value=x");
    CHECK(made.code == 0);
  };
  put("/a/2/deep");
  put("/a/1");
  CHECK(names_of(etcd_reader{how}.list("/a/")) == "/a/1=x /a/2/deep=x");
  const real_etcd without;
  auto other = settings_of(without.urls());
  other.api = rpc::etcd::api::v2;
  CHECK(fault_of([&] { etcd_reader{other}.list("/a/"); }) == fault::not_agent);
}

TEST_CASE("An etcd behind https is read by the authority of --cacert only", "[etcd]") {
  test_ca ca{"authority"};
  const temp_dir dir, other_dir;
  const auto own = ca.issue(dir, "etcd", {.san = "IP:127.0.0.1"});
  const real_etcd store{{.arguments = {"--cert-file", own.cert, "--key-file", own.key}, .scheme = "https"}};
  const auto url = store.urls().front();
  const auto good = run_command({"--cluster", url, "--cacert", ca.certificate(dir), "hosts"});
  INFO(good.err);
  CHECK(good.code == 0);
  CHECK(run_command({"--cluster", url, "hosts"}).code == 5);
  CHECK(run_command({"--cluster", url, "--cacert", test_ca{"other"}.certificate(other_dir), "hosts"}).code == 5);
  CHECK(run_command({"--cluster", "http" + url.substr(5), "hosts"}).code == 5);
}

} // namespace mistify::test
