#include "http/api/views/guest_tags.hpp"

#include "http/api/views/public_guest.hpp"
#include "store/guest_tag.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace mistify;
using http::guest_tags;

namespace {

store::guest_ptr guest(const std::string& doc) {
  return std::make_shared<const store::stored_guest>(store::stored_guest{"g", "", doc});
}

std::string key() {
  return "key";
}

} // namespace

TEST_CASE("a guest's tag is that of its document, however often it is asked for") {
  guest_tags tags;
  const auto one = guest(R"({"id":"g","memory":1})"), other = guest(R"({"id":"g","memory":2})");
  for (int i = 0; i < 2; ++i) {
    CHECK(tags.of(one, key).tag == store::guest_tag(one->doc, "key"));
    CHECK(tags.of(other, key).tag == store::guest_tag(other->doc, "key"));
  }
  CHECK(tags.size() == 2);
}

TEST_CASE("a tag is computed once for each document") {
  guest_tags tags;
  const auto one = guest(R"({"id":"g"})");
  int computed = 0;
  for (int i = 0; i < 3; ++i)
    tags.of(one, [&] {
      ++computed;
      return key();
    });
  CHECK(computed == 1);
}

TEST_CASE("a document at the address of a dead one has its own tag") {
  guest_tags tags;
  for (int i = 0; i < 200; ++i) {
    // Its memory is free again although a weak pointer is left: make_shared would keep that.
    const store::guest_ptr one = std::make_unique<store::stored_guest>(
      store::stored_guest{"g", "", R"({"id":"g","memory":)" + std::to_string(i) + "}"});
    REQUIRE(tags.of(one, key).tag == store::guest_tag(one->doc, "key"));
  }
}

TEST_CASE("tags of dead documents are forgotten, those of living ones are not") {
  guest_tags tags;
  std::vector<store::guest_ptr> living;
  for (std::size_t i = 0; i < guest_tags::fewest / 2; ++i)
    living.push_back(guest(R"({"id":"g","memory":)" + std::to_string(i) + "}"));
  for (const auto& one : living)
    tags.of(one, key);
  for (std::size_t i = 0; i < 20 * guest_tags::fewest; ++i)
    tags.of(guest("{}"), key);
  CHECK(tags.size() <= 2 * guest_tags::fewest);
  for (const auto& one : living)
    tags.of(one, [] {
      FAIL("the tag of a living document was forgotten");
      return std::string{};
    });
}

TEST_CASE("a document that has something to hide is never said to be public") {
  guest_tags tags;
  const auto is_public = [&](const std::string& doc) { return tags.of(guest(doc), key).is_public; };
  CHECK(is_public(R"({"id":"g","metadata":{"owner":"o"}})"));
  for (const auto* doc :
       {R"({"id":"g","metadata":{"vnc.password":"secret"}})", R"({"id":"g","cloud_init":{"user_data":"secret"}})"}) {
    CHECK_FALSE(is_public(doc));
    CHECK(http::public_guest(doc).find("secret") == std::string::npos);
  }
}
