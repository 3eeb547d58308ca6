#include "http/protocol/peer.hpp"

#include <catch2/catch.hpp>

using namespace mistify::http;

namespace {

std::string key_of(const std::string& address) {
  peer_identity peer;
  peer.address = address;
  return share_key(peer);
}

} // namespace

TEST_CASE("addresses that one client may have count as one") {
  CHECK(key_of("127.0.0.1") == key_of("127.9.8.7"));
  CHECK(key_of("127.0.0.1") == key_of("::1"));
  CHECK(key_of("2001:db8:0:1::1") == key_of("2001:db8:0:1:ffff::2"));
  CHECK(key_of("2001:db8:0:1::1") != key_of("2001:db8:0:2::1"));
  CHECK(key_of("192.0.2.1") != key_of("192.0.2.2"));
  CHECK(key_of("192.0.2.1") == "192.0.2.1");
}

TEST_CASE("processes of one user count as one, whoever else is on the machine") {
  peer_identity one;
  one.address = "local";
  one.process = unix_peer{1000, 1000, 1, {}};
  auto other = one;
  other.process->pid = 2;
  CHECK(share_key(one) == share_key(other));
  other.process->uid = 1001;
  CHECK(share_key(one) != share_key(other));
}
