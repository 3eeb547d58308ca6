#include "fixture.hpp"

#include "store/tokens.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using namespace mistify::store;

namespace {

struct token_fixture {
  temp_folder folder;
  guest_index guests;
  std::unique_ptr<token_index> tokens = std::make_unique<token_index>();
  std::unique_ptr<journal> log;

  token_fixture() { open(); }

  void open() {
    log.reset();
    tokens = std::make_unique<token_index>();
    journal_settings settings;
    settings.path = folder / "agent.db";
    settings.tokens = tokens.get();
    log = std::make_unique<journal>(settings, guests);
  }

  token change(token_change what) {
    log->begin();
    auto result = log->change_token(what);
    log->commit();
    return result;
  }

  rpc::errc refusal(token_change what) {
    log->begin();
    auto code = rpc::errc::none;
    try {
      log->change_token(what);
    } catch (const rpc::failure& e) {
      code = e.code();
    }
    log->commit();
    return code;
  }
};

constexpr rpc::timestamp at(int seconds) {
  return rpc::timestamp{std::chrono::seconds{seconds}};
}

token named(const std::string& id) {
  token result;
  result.id = id;
  result.name = "name";
  result.hash = "hash";
  result.role = "viewer";
  return result;
}

} // namespace

TEST_CASE("tokens outlive a restart with all that they have") {
  token_fixture f;
  auto whole = named("id");
  whole.guests = R"(["g"])";
  whole.created = at(1);
  whole.expires = at(9);
  f.change(add_token{whole});
  f.change(rotate_token{"id", "hash2", at(0), at(5)});
  f.change(note_token_use{"id", at(3)});
  f.open();
  const auto found = f.tokens->find("id");
  REQUIRE(found);
  CHECK(found->name == "name");
  CHECK(found->hash == "hash2");
  CHECK(found->old == std::vector<old_secret>{{"hash", at(5)}});
  CHECK(found->guests == R"(["g"])");
  CHECK(found->created == at(1));
  CHECK(found->last_used == at(3));
  CHECK(found->expires == at(9));
}

TEST_CASE("the name of a token is unique, in one batch too, and free again once it is removed") {
  token_fixture f;
  f.log->begin();
  f.log->change_token(add_token{named("1")});
  CHECK_THROWS_AS(f.log->change_token(add_token{named("2")}), rpc::failure);
  f.log->commit();
  CHECK(f.refusal(add_token{named("2")}) == rpc::errc::conflict);
  CHECK(f.change(remove_token{"1"}).name == "name");
  CHECK_FALSE(f.tokens->find("1"));
  CHECK(f.refusal(add_token{named("2")}) == rpc::errc::none);
}

TEST_CASE("a token that is not there cannot be changed") {
  token_fixture f;
  CHECK(f.refusal(remove_token{"x"}) == rpc::errc::not_found);
  CHECK(f.refusal(rotate_token{"x", "h", at(0), at(1)}) == rpc::errc::not_found);
  CHECK(f.refusal(note_token_use{"x", at(1)}) == rpc::errc::not_found);
}

TEST_CASE("a batch that is rolled back leaves no token") {
  token_fixture f;
  f.log->begin();
  f.log->change_token(add_token{named("1")});
  f.log->rollback();
  CHECK(f.tokens->empty());
  f.open();
  CHECK(f.tokens->empty());
}

TEST_CASE("a second rotation ends no secret early, and too many at a time are refused") {
  token_fixture f;
  f.change(add_token{named("id")});
  f.change(rotate_token{"id", "hash2", at(0), at(10)});
  f.change(rotate_token{"id", "hash3", at(5), at(15)});
  f.open();
  CHECK(f.tokens->find("id")->old == std::vector<old_secret>{{"hash", at(10)}, {"hash2", at(15)}});
  f.change(rotate_token{"id", "hash4", at(12), at(22)});
  CHECK(f.tokens->find("id")->old == std::vector<old_secret>{{"hash2", at(15)}, {"hash3", at(22)}});
  for (std::size_t i = 2; i < most_old_secrets; ++i)
    f.change(rotate_token{"id", "more", at(12), at(22)});
  CHECK(f.refusal(rotate_token{"id", "more", at(12), at(22)}) == rpc::errc::queue_full);
}

TEST_CASE("the secret before a rotation by an earlier version holds as long as it was to") {
  token_fixture f;
  f.change(add_token{named("id")});
  f.log.reset();
  {
    database db{f.folder / "agent.db", database::access::read_write};
    db.execute("UPDATE tokens SET old_hash = 'first', old_until = 7000000000");
  }
  f.open();
  CHECK(f.tokens->find("id")->old == std::vector<old_secret>{{"first", at(7)}});
}
