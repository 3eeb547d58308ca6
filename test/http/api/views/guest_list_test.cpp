#include "http/api/views/guest_list.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <vector>
#include <zlib.h>

using namespace mistify;
using namespace mistify::http;

namespace {

using form = guest_list::form;

void put(store::guest_index& to, const std::string& id, const std::string& doc) {
  to.put(std::make_shared<const store::stored_guest>(store::stored_guest{id, "", doc}));
}

std::future<guest_list::text> ask(guest_list& of, form wanted) {
  auto promise = std::make_shared<std::promise<guest_list::text>>();
  of.get(wanted).sender()([promise](rpc::outcome<guest_list::text> told) {
    promise->set_value(std::get<guest_list::text>(std::move(told)));
  });
  return promise->get_future();
}

std::string unpacked(const std::string& packed) {
  z_stream z{};
  REQUIRE(inflateInit2(&z, 15 + 16) == Z_OK);
  std::string text(1'000'000, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.avail_in = static_cast<uInt>(packed.size());
  z.next_out = reinterpret_cast<Bytef*>(text.data());
  z.avail_out = static_cast<uInt>(text.size());
  CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END);
  text.resize(z.total_out);
  inflateEnd(&z);
  return text;
}

} // namespace

TEST_CASE("the list is the guests by id, plain and packed") {
  store::guest_index guests;
  guest_list list{guests};
  CHECK(*ask(list, form::plain).get() == "[]\n");
  put(guests, "b", R"({"id":"b"})");
  put(guests, "a", R"({"id":"a"})");
  CHECK(*ask(list, form::plain).get() == "[{\"id\":\"a\"},{\"id\":\"b\"}]\n");
  CHECK(unpacked(*ask(list, form::gzip).get()) == "[{\"id\":\"a\"},{\"id\":\"b\"}]\n");
}

TEST_CASE("the list shows no metadata that can only be written") {
  store::guest_index guests;
  put(guests, "a", R"({"id":"a","metadata":{"k":"v","vnc.password":"s3cret"}})");
  guest_list list{guests};
  CHECK(*ask(list, form::plain).get() == "[{\"id\":\"a\",\"metadata\":{\"k\":\"v\"}}]\n");
}

TEST_CASE("all readers of one version share its bytes") {
  store::guest_index guests;
  put(guests, "a", R"({"id":"a"})");
  guest_list list{guests};
  const auto packed = ask(list, form::gzip).get(), plain = ask(list, form::plain).get();
  CHECK(ask(list, form::gzip).get() == packed);
  CHECK(ask(list, form::plain).get() == plain);
  guests.erase("nobody");
  CHECK(ask(list, form::plain).get() == plain);
}

TEST_CASE("a change is in the next list, and what was given out stays as it was") {
  store::guest_index guests;
  put(guests, "a", "1");
  guest_list list{guests};
  const auto before = ask(list, form::plain).get();
  put(guests, "a", "2");
  CHECK(*ask(list, form::plain).get() == "[2]\n");
  guests.erase("a");
  CHECK(*ask(list, form::plain).get() == "[]\n");
  CHECK(*before == "[1]\n");
}

TEST_CASE("a list is long by its bytes, not by its guests") {
  store::guest_index guests;
  const guest_list list{guests};
  put(guests, "a", "{}");
  CHECK_FALSE(list.is_long());
  put(guests, "a", '"' + std::string(40'000, 'x') + '"');
  CHECK(list.is_long());
  put(guests, "a", "{}");
  CHECK_FALSE(list.is_long());
}

TEST_CASE("readers are answered while guests change without end") {
  store::guest_index guests;
  put(guests, "a", "0");
  guest_list list{guests};
  for (int round = 1; round <= 200; ++round) {
    std::vector<std::future<guest_list::text>> asked;
    for (const auto wanted : {form::gzip, form::plain, form::gzip}) {
      put(guests, "a", std::to_string(round));
      asked.push_back(ask(list, wanted));
    }
    CHECK(unpacked(*asked[0].get()) == "[" + std::to_string(round) + "]\n");
    CHECK(*asked[1].get() == "[" + std::to_string(round) + "]\n");
    CHECK(asked[2].get());
  }
}
