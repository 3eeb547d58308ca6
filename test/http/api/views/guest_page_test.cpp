#include "http/api/views/guest_page.hpp"

#include "rpc/model/codec.hpp"
#include "store/guest_merge.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace mistify;
using namespace mistify::http;

namespace {

std::string id_of(std::size_t number) {
  auto digits = std::to_string(number);
  return "g" + std::string(5 - digits.size(), '0') + digits;
}

void fill(store::guest_index& guests, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    rpc::guest g;
    g.id = id_of(i);
    g.state = i % 2 == 0 ? "running" : "shutoff";
    g.memory = i;
    g.extra["name"] = "\"n" + std::to_string(i) + '"';
    g.extra["labels"] = R"({"team":")" + std::to_string(i % 10) + R"(","tier":"web"})";
    guests.put(store::to_stored(g));
  }
}

const principal everybody;

std::string ids(const guest_page& page) {
  return page.body;
}

} // namespace

TEST_CASE("a list is filtered by name, state and all labels") {
  store::guest_index guests;
  fill(guests, 20);
  guest_query query;
  query.fields = {"id"};
  query.name = "n7";
  CHECK(ids(make_guest_page(guests, query, everybody)) == R"([{"id":"g00007"}])");
  query.name.reset();
  query.labels = {{"team", "3"}, {"tier", "web"}};
  CHECK(ids(make_guest_page(guests, query, everybody)) == R"([{"id":"g00003"},{"id":"g00013"}])");
  query.state = "running";
  CHECK(ids(make_guest_page(guests, query, everybody)) == "[]");
  query.state = "shutoff";
  query.labels.emplace_back("rack", "1");
  CHECK(ids(make_guest_page(guests, query, everybody)) == "[]");
}

TEST_CASE("pages follow one another without gap, and the last one has no next") {
  store::guest_index guests;
  fill(guests, 7);
  guest_query query;
  query.fields = {"id"};
  query.limit = 3;
  auto page = make_guest_page(guests, query, everybody);
  CHECK(page.body == R"([{"id":"g00000"},{"id":"g00001"},{"id":"g00002"}])");
  CHECK(page.next == "g00002");
  query.after = page.next;
  page = make_guest_page(guests, query, everybody);
  CHECK(page.next == "g00005");
  query.after = page.next;
  page = make_guest_page(guests, query, everybody);
  CHECK(page.body == R"([{"id":"g00006"}])");
  CHECK(page.next.empty());
  query.after = "g00000";
  query.limit = 6;
  CHECK(make_guest_page(guests, query, everybody).next.empty());
}

TEST_CASE("fields are shown in the order of the guest, and secrets never") {
  CHECK(pick_fields(R"({"id":"a","state":"x","memory":5,"labels":{"id":"no"}})", {"memory", "id"}) ==
        R"({"id":"a","memory":5})");
  store::guest_index guests;
  rpc::guest g;
  g.id = "a";
  g.metadata = {{"vnc.password", "secret"}};
  guests.put(store::to_stored(g));
  guest_query query;
  query.fields = {"metadata"};
  CHECK(make_guest_page(guests, query, everybody).body == "[{}]");
}

TEST_CASE("a filtered page over 10,000 guests is quick", "[.measure]") {
  store::guest_index guests;
  fill(guests, 10'000);
  guest_query query;
  query.labels = {{"team", "9"}};
  query.state = "shutoff";
  query.limit = 100;
  query.after = id_of(8'990);
  constexpr int rounds = 200;
  const auto begin = std::chrono::steady_clock::now();
  std::size_t bytes = 0;
  for (int i = 0; i < rounds; ++i) {
    query.after = "";
    query.name = i % 2 == 0 ? std::optional<std::string>{"n9999"} : std::nullopt;
    bytes += make_guest_page(guests, query, everybody).body.size();
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  WARN("a page takes " << took.count() / rounds << " ms, " << bytes << " bytes");
  CHECK(took.count() / rounds < 20);
}
