#include "rpc/base/error.hpp"
#include "rpc/etcd/client.hpp"
#include "test/etcd/real_etcd.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <thread>

using namespace std::chrono_literals;
using namespace mistify::rpc;
using namespace mistify::rpc::etcd;
using mistify::test::real_etcd;

namespace {

std::unique_ptr<client> connect(const real_etcd& to, api version) {
  return make_client(version, {to.urls(), "", "", {}});
}

/// Collects news until `enough` says so.
news gather(client& from, const std::function<bool(const news&)>& enough, std::chrono::seconds longest = 20s) {
  news all;
  const auto end = std::chrono::steady_clock::now() + longest;
  while (!enough(all) && std::chrono::steady_clock::now() < end) {
    auto some = from.wait(200ms);
    all.events.insert(all.events.end(), some.events.begin(), some.events.end());
    if (some.state != news::condition::fine)
      all.state = some.state, all.why = some.why;
  }
  return all;
}

auto events(std::size_t count) {
  return [count](const news& n) { return n.events.size() >= count; };
}

bool is_over(const news& n) {
  return n.state != news::condition::fine;
}

errc code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const failure& e) {
    return e.code();
  }
  return errc::none;
}

} // namespace

TEST_CASE("both APIs keep the same promises", "[etcd]") {
  const real_etcd store{{.arguments = {"--enable-v2"}}};
  for (const auto version : {api::v3, api::v2}) {
    INFO("v" << (version == api::v3 ? 3 : 2));
    const auto one = connect(store, version), other = connect(store, version);

    // Writes happen only as expected.
    CHECK_FALSE(one->get("/l/h/a"));
    const auto first = one->write({"/l/h/a", "1", 0});
    REQUIRE(first);
    CHECK_FALSE(one->write({"/l/h/a", "2", 0}));
    CHECK_FALSE(one->write({"/l/h/a", "2", *first + 1000}));
    CHECK_FALSE(one->write({"/l/h/a", std::nullopt, *first + 1000}));
    CHECK(one->get("/l/h/a")->value == "1");
    CHECK(one->get("/l/h/a")->revision == *first);
    const auto second = one->write({"/l/h/a", "{\"a\": \"ü &=+%\"}", first});
    REQUIRE(second);
    CHECK(other->get("/l/h/a")->value == "{\"a\": \"ü &=+%\"}");

    // A prefix is a folder, not the start of a name.
    one->write({"/l/hh/x", "no", std::nullopt});
    one->write({"/l/h/b/c", "3", std::nullopt});
    auto all = one->list("/l/h/");
    REQUIRE(all.entries.size() == 2);
    CHECK(one->list("/l/none/").entries.empty());
    CHECK(one->write({"/l/h/b/none", std::nullopt, std::nullopt}));

    // A watch brings what others did since.
    one->watch({"/l/h/", "/l/g/"}, all.revision + 1);
    other->write({"/l/h/a", "4", std::nullopt});
    other->write({"/l/g/x", "5", std::nullopt});
    other->write({"/l/hh/x", "6", std::nullopt});
    other->write({"/l/h/a", std::nullopt, std::nullopt});
    const auto got = gather(*one, events(3));
    CHECK(got.state == news::condition::fine);
    REQUIRE(got.events.size() == 3);
    const auto removed = std::ranges::find_if(got.events, &event::removed);
    REQUIRE(removed != got.events.end());
    CHECK(removed->what.key == "/l/h/a");

    // Many at once.
    std::vector<change> many;
    for (int i = 0; i < 250; ++i)
      many.push_back({"/l/m/" + std::to_string(i), std::to_string(i), std::nullopt});
    one->write_all(many);
    CHECK(one->list("/l/m/").entries.size() == 250);
    one->remove_all("/l/");
    CHECK(one->list("/l/").entries.empty());
    one->remove_all("/l/");
  }
}

TEST_CASE("keys of a lease live as long as it is kept, and go when it is closed", "[etcd]") {
  const real_etcd store{{.arguments = {"--enable-v2"}}};
  for (const auto version : {api::v3, api::v2}) {
    INFO("v" << (version == api::v3 ? 3 : 2));
    const auto one = connect(store, version), other = connect(store, version);
    CHECK_FALSE(one->keep_lease());
    one->open_lease(2s);
    one->write({"/l/h/beat", "now", 0, true});
    CHECK(one->is_ours(*one->get("/l/h/beat")));
    CHECK_FALSE(other->is_ours(*other->get("/l/h/beat")));
    for (int i = 0; i < 8; ++i) {
      std::this_thread::sleep_for(500ms);
      REQUIRE(one->keep_lease());
    }
    CHECK(other->get("/l/h/beat"));
    one->close_lease();
    CHECK_FALSE(other->get("/l/h/beat"));
    one->close_lease();

    one->open_lease(1s);
    one->write({"/l/h/beat", "again", 0, true});
    other->watch({"/l/h/"}, other->list("/l/h/").revision + 1);
    const auto got = gather(*other, events(1));
    REQUIRE(got.events.size() == 1);
    CHECK(got.events[0].removed);
    CHECK_FALSE(one->keep_lease());
  }
}

TEST_CASE("more keys than a page are listed whole", "[etcd]") {
  const real_etcd store;
  const auto one = connect(store, api::v3);
  std::vector<change> many;
  for (int i = 0; i < 2'345; ++i)
    many.push_back({"/l/" + std::to_string(i), std::string(100, 'x'), std::nullopt});
  one->write_all(many);
  CHECK(one->list("/l/").entries.size() == 2'345);
}

TEST_CASE("a compacted revision ends the watch as such", "[etcd]") {
  const real_etcd store;
  const auto one = connect(store, api::v3);
  std::int64_t last = 0;
  for (int i = 0; i < 5; ++i)
    last = *one->write({"/l/a", std::to_string(i), std::nullopt});
  store.ctl("compact " + std::to_string(last));
  one->watch({"/l/"}, 2);
  CHECK(gather(*one, is_over).state == news::condition::compacted);
  one->watch({"/l/"}, last + 1);
  one->write({"/l/a", "new", std::nullopt});
  CHECK(gather(*one, events(1)).events.size() == 1);
}

TEST_CASE("one of three members is killed and the next one serves", "[etcd]") {
  real_etcd store{{.members = 3}};
  const auto one = connect(store, api::v3);
  one->write({"/l/a", "1", 0});
  one->open_lease(30s);
  one->watch({"/l/"}, one->list("/l/").revision + 1);
  one->wait(200ms);
  store.kill(0); // the one that this client uses
  CHECK(gather(*one, is_over).state == news::condition::lost);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(one->write({"/l/b", "2", 0}));
  CHECK(one->keep_lease());
  CHECK(std::chrono::steady_clock::now() - begin < 15s);
  CHECK(one->list("/l/").entries.size() == 2);
  store.start(0);
  store.kill(1);
  store.kill(2);
  CHECK(code_of([&] { one->write({"/l/c", "3", 0}); }) != errc::none); // no majority: no write
}

TEST_CASE("a frozen member costs the time-out, not more", "[etcd]") {
  const real_etcd store;
  auto one = make_client(api::v3, {store.urls(), "", "", {.connect_timeout = 500ms, .timeout = 700ms}});
  one->write({"/l/a", "1", 0});
  store.freeze(0);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(code_of([&] { one->get("/l/a"); }) == errc::deadline_exceeded);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
  store.thaw(0);
  CHECK(one->get("/l/a")->value == "1");
}

TEST_CASE("users log in, and a token that expired is replaced", "[etcd]") {
  const real_etcd store{{.arguments = {"--auth-token-ttl", "2"}}};
  store.ctl("user add root:secret");
  store.ctl("user grant-role root root");
  store.ctl("user add host:pass");
  store.ctl("role add host");
  store.ctl("role grant-permission --prefix=true host readwrite /l/");
  store.ctl("user grant-role host host");
  store.ctl("auth enable");

  const auto anonymous = connect(store, api::v3);
  CHECK(code_of([&] { anonymous->get("/l/a"); }) == errc::forbidden);
  const auto wrong = make_client(api::v3, {store.urls(), "host", "wrong", {}});
  CHECK(code_of([&] { wrong->get("/l/a"); }) == errc::forbidden);

  const auto host = make_client(api::v3, {store.urls(), "host", "pass", {}});
  CHECK(host->write({"/l/a", "1", 0}));
  CHECK(code_of([&] { host->write({"/other", "1", 0}); }) == errc::forbidden);
  host->open_lease(30s);
  CHECK(host->write({"/l/beat", "1", 0, true}));
  std::this_thread::sleep_for(3500ms); // the token is gone
  CHECK(host->keep_lease());
  CHECK(host->get("/l/a")->value == "1");
  host->watch({"/l/"}, host->list("/l/").revision + 1);
  host->write({"/l/a", "2", std::nullopt});
  CHECK(gather(*host, events(1)).events.size() == 1);

  // Credentials where none are needed do no harm.
  const real_etcd open;
  const auto known = make_client(api::v3, {open.urls(), "host", "pass", {}});
  CHECK(known->write({"/l/a", "1", 0}));
}

TEST_CASE("cancel ends a request that waits, from another thread", "[etcd]") {
  const real_etcd store;
  const auto one = connect(store, api::v3);
  one->get("/l/a");
  store.freeze(0);
  auto asked = std::async(std::launch::async, [&] { return code_of([&] { one->get("/l/a"); }); });
  std::this_thread::sleep_for(200ms);
  one->cancel(true);
  CHECK(asked.wait_for(2s) == std::future_status::ready);
  CHECK(asked.get() == errc::cancelled);
  store.thaw(0);
  CHECK(code_of([&] { one->get("/l/a"); }) == errc::cancelled);
  one->cancel(false);
  CHECK_FALSE(one->get("/l/a"));
}

TEST_CASE("wake ends a wait, also one that begins later", "[etcd]") {
  const real_etcd store;
  const auto one = connect(store, api::v3);
  one->wake();
  const auto begin = std::chrono::steady_clock::now();
  one->wait(20s);
  auto waiting = std::async(std::launch::async, [&] { one->wait(20s); });
  std::this_thread::sleep_for(100ms);
  one->wake();
  waiting.get();
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
}
