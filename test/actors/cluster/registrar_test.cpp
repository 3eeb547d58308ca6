#include "actors/cluster/registrar.hpp"
#include "test/actors/cluster/memory_etcd.hpp"
#include "test/etcd/real_etcd.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

using namespace std::chrono_literals;
using namespace mistify;
using namespace mistify::actors::cluster;
using test::real_etcd;

// Real registrations on their own threads, against real etcd.
namespace {

const std::string host = "11111111-1111-4111-8111-111111111111";
const std::string in_host = "/lochness/hypervisors/" + host + '/', in_agent = "/lochness/agents/" + host + '/';

bool eventually(const std::function<bool()>& done, std::chrono::seconds longest = 30s) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < end) {
    if (done())
      return true;
    std::this_thread::sleep_for(50ms);
  }
  return done();
}

/// A host whose guests the test sets.
class made_up_host final : public host_source {
public:
  picture look() override {
    const std::lock_guard lock{mutex_};
    seen_ = next_;
    return {{1000, 0, 4}, {500, 0, 2}, &seen_};
  }
  void set(const std::string& guest, const std::string& state) {
    const std::lock_guard lock{mutex_};
    next_[guest].state = state;
  }

private:
  std::mutex mutex_;
  guest_states next_, seen_;
};

struct agent {
  explicit agent(const real_etcd& store, std::string instance = "one", rpc::etcd::client_settings to = {},
                 rpc::etcd::api version = rpc::etcd::api::v3) {
    to.endpoints = store.urls();
    to.session.connect_timeout = to.session.timeout = 1s;
    made.emplace(registration_settings{"/lochness", host, std::move(instance), facts_of_address("127.0.0.1"), 5s},
                 rpc::etcd::make_client(version, std::move(to)), shown, source);
  }
  bool becomes(standing wanted) const {
    return eventually([&] { return shown.read().now == wanted; });
  }
  void set(const std::string& guest, const std::string& state) {
    source.set(guest, state);
    made->note_change();
  }

  rpc::metrics::registry measured;
  status shown{measured};
  made_up_host source;
  std::optional<registrar> made;
};

struct counts {
  std::atomic<int> listed{0}, closed{0};
};

/// An etcd in memory whose listings take their time, as the look-up of a name does, whatever is cancelled.
class slow_client final : public test::memory_client {
public:
  slow_client(test::memory_etcd& in, std::chrono::milliseconds lists_for, counts& made)
    : memory_client{in}, lists_for_{lists_for}, made_{made} {}

  rpc::etcd::listing list(std::string_view prefix) override {
    ++made_.listed;
    std::this_thread::sleep_for(lists_for_);
    return memory_client::list(prefix);
  }
  rpc::etcd::news wait(std::chrono::milliseconds longest) override {
    std::this_thread::yield();
    return memory_client::wait(longest);
  }
  void close_lease() override {
    if (cancelled_)
      throw rpc::failure{rpc::errc::cancelled, "the request was given up"};
    ++made_.closed;
    memory_client::close_lease();
  }
  void cancel(bool now) noexcept override { cancelled_ = now; }

private:
  const std::chrono::milliseconds lists_for_;
  counts& made_;
  std::atomic<bool> cancelled_{false};
};

/// A registrar in memory: how often it let its lease go when it had `longest` for that.
int times_closed(std::chrono::milliseconds lists_for, std::chrono::milliseconds longest) {
  test::memory_etcd etcd;
  counts calls;
  rpc::metrics::registry measured;
  status shown{measured};
  made_up_host source;
  registrar made{{"/lochness", host, "one", facts_of_address("127.0.0.1"), 5s},
                 std::make_unique<slow_client>(etcd, lists_for, calls),
                 shown,
                 source};
  REQUIRE(eventually([&] { return lists_for > 0ms ? calls.listed > 0 : shown.read().now == standing::joined; }));
  made.resign(longest);
  return calls.closed;
}

std::string value(const real_etcd& store, const std::string& key, const std::string& user = "") {
  auto text = store.ctl(user + " get --print-value-only " + key);
  while (text.ends_with('\n'))
    text.pop_back();
  return text;
}

bool is_alive(const real_etcd& store) {
  return !value(store, in_host + "heartbeat").empty() && !value(store, in_agent + "owner").empty();
}

} // namespace

TEST_CASE("a registrar registers, follows the guests, and lets the heartbeat go at its end", "[etcd]") {
  const real_etcd store;
  agent one{store};
  REQUIRE(one.becomes(standing::joined));
  CHECK(is_alive(store));
  one.set("a", "running");
  CHECK(eventually([&] { return value(store, in_agent + "guests/a").find("running") != std::string::npos; }, 5s));
  one.set("a", "shutoff");
  CHECK(eventually([&] { return value(store, in_agent + "guests/a").find("shutoff") != std::string::npos; }, 5s));
  one.made->resign(5s);
  CHECK(value(store, in_host + "heartbeat").empty());
  CHECK_FALSE(value(store, in_host + "metadata").empty());
}

TEST_CASE("a registrar that resigns lets its lease go, however the threads meet") {
  for (int i = 0; i < 50; ++i)
    REQUIRE(times_closed(0ms, 10s) == 1);
}

TEST_CASE("a registrar whose time to resign is over revokes nothing any more") {
  CHECK(times_closed(500ms, 50ms) == 0);
}

TEST_CASE("a registrar that leaves removes its keys, and answers once", "[etcd]") {
  const real_etcd store;
  agent one{store};
  REQUIRE(one.becomes(standing::joined));
  std::promise<rpc::outcome<bool>> answer;
  one.made->leave([&](rpc::outcome<bool> outcome) { answer.set_value(std::move(outcome)); });
  CHECK(std::holds_alternative<bool>(answer.get_future().get()));
  CHECK(store.ctl("get --prefix --keys-only /lochness").empty());
  one.made->resign(5s);
  std::promise<rpc::outcome<bool>> late;
  one.made->leave([&](rpc::outcome<bool> outcome) { late.set_value(std::move(outcome)); });
  CHECK(std::holds_alternative<rpc::failure>(late.get_future().get()));
}

TEST_CASE("of two registrars with one id the second takes over when the first dies", "[etcd]") {
  const real_etcd store;
  std::optional<agent> one{std::in_place, store};
  REQUIRE(one->becomes(standing::joined));
  agent two{store, "two"};
  REQUIRE(two.becomes(standing::refused));
  CHECK(one->shown.read().now == standing::joined);
  one.reset();
  CHECK(two.becomes(standing::joined));
  CHECK(is_alive(store));
}

TEST_CASE("a registration survives its member's death, the leader's, and everybody's", "[etcd]") {
  real_etcd store{{.members = 3}};
  agent one{store};
  REQUIRE(one.becomes(standing::joined));
  store.kill(0); // the member that it talks to
  one.set("a", "running");
  CHECK(eventually([&] { return !value(store, in_agent + "guests/a").empty(); }));
  store.start(0);
  store.kill(store.leader());
  one.set("b", "running");
  CHECK(eventually([&] { return !value(store, in_agent + "guests/b").empty(); }));

  for (std::size_t i = 0; i < 3; ++i)
    store.kill(i);
  REQUIRE(one.becomes(standing::away));
  one.set("c", "running");
  store.start_all();
  CHECK(one.becomes(standing::joined));
  CHECK(eventually([&] { return !value(store, in_agent + "guests/c").empty(); }));
  CHECK(is_alive(store));
}

TEST_CASE("a registration mends a lost lease, a partition longer than the TTL, and a compaction", "[etcd]") {
  const real_etcd store;
  agent one{store};
  REQUIRE(one.becomes(standing::joined));
  const auto leases = store.ctl("lease list");
  const auto begin = leases.find('\n') + 1;
  store.ctl("lease revoke " + leases.substr(begin, leases.find('\n', begin) - begin));
  CHECK(eventually([&] { return is_alive(store); }));
  CHECK(one.becomes(standing::joined));

  store.freeze(0);
  REQUIRE(one.becomes(standing::away));
  std::this_thread::sleep_for(5s);
  store.thaw(0);
  CHECK(one.becomes(standing::joined));
  CHECK(eventually([&] { return is_alive(store); }));

  std::int64_t last = 0;
  const auto writer = rpc::etcd::make_client(rpc::etcd::api::v3, {store.urls(), "", "", {}});
  for (int i = 0; i < 5; ++i)
    last = *writer->write({"/elsewhere", std::to_string(i), std::nullopt});
  store.ctl("compact " + std::to_string(last));
  store.ctl("del " + in_host + "heartbeat");
  CHECK(eventually([&] { return is_alive(store); }));
}

TEST_CASE("a registration outlives the tokens of etcd, with rights below its prefix only", "[etcd]") {
  const real_etcd store{{.arguments = {"--auth-token-ttl", "2"}}};
  for (const auto* command :
       {"user add root:secret", "user grant-role root root", "user add host:pass", "role add host",
        "role grant-permission --prefix=true host readwrite /lochness/", "user grant-role host host", "auth enable"})
    store.ctl(command);
  agent one{store, "one", {{}, "host", "pass", {}}};
  REQUIRE(one.becomes(standing::joined));
  std::this_thread::sleep_for(6s);
  one.set("a", "running");
  const std::string root = "--user root:secret";
  CHECK(eventually([&] { return !value(store, in_agent + "guests/a", root).empty(); }));
  CHECK(one.shown.read().now == standing::joined);
  CHECK_FALSE(value(store, in_host + "heartbeat", root).empty());
}

TEST_CASE("the same registration through the v2 API", "[etcd]") {
  const real_etcd store{{.arguments = {"--enable-v2"}}};
  agent one{store, "one", {}, rpc::etcd::api::v2};
  REQUIRE(one.becomes(standing::joined));
  const auto reader = rpc::etcd::make_client(rpc::etcd::api::v2, {store.urls(), "", "", {}});
  std::this_thread::sleep_for(7s); // longer than the TTL
  CHECK(reader->get(in_host + "heartbeat"));
  CHECK(reader->get(in_host + "heartbeat")->lease > 0);
  CHECK(reader->get(in_host + "metadata")->lease == 0);
  one.set("a", "running");
  CHECK(eventually([&] { return reader->get(in_agent + "guests/a").has_value(); }));
  reader->write({in_host + "heartbeat", std::nullopt, std::nullopt});
  CHECK(eventually([&] { return reader->get(in_host + "heartbeat").has_value(); }));
  one.made->resign(5s);
  CHECK_FALSE(reader->get(in_host + "heartbeat"));
}
