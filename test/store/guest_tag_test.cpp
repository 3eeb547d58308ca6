#include "fixture.hpp"

#include "rpc/model/members.hpp"
#include "store/guest_tag.hpp"

using namespace mistify;
using namespace mistify::store;

TEST_CASE("a tag changes with every member but those that change by themselves, and with the key") {
  const auto tag = guest_tag(R"({"id":"a","state":"off","memory":1,"wanted":"on"})", "k");
  CHECK(tag.size() == 34);
  CHECK(tag.front() == '"');
  CHECK(tag == guest_tag(R"({"id":"a","state":"running","memory":1,"state_reason":"user"})", "k"));
  CHECK(tag != guest_tag(R"({"id":"a","state":"off","memory":2,"wanted":"on"})", "k"));
  CHECK(tag != guest_tag(R"({"id":"a","state":"off","memory":1,"metadata":{"state":"x"}})", "k"));
  CHECK(tag != guest_tag(R"({"id":"a","state":"off","memory":1,"wanted":"on"})", "other"));
}

TEST_CASE("If-Match names one of several tags, or any") {
  const std::string tag = "\"abc\"";
  for (const auto* yes : {"\"abc\"", "*", "\"x\", \"abc\"", " \"abc\" ,\"y\""})
    CHECK(matches(yes, tag));
  for (const auto* no : {"\"x\"", "abc", "W/\"abc\"", "\"ab", ",", "\"x\" \"abc\""})
    CHECK_FALSE(matches(no, tag));
}

TEST_CASE("members of an object are found whatever their values hold") {
  std::vector<std::pair<std::string, std::string>> found;
  const auto collect = [&](std::string_view name, std::string_view value) { found.emplace_back(name, value); };
  rpc::for_each_member(R"({"a":"x,}\"]","b":{"c":[1,{"d":"}"}]},"e":-1.5,"f":[],"g":null})", collect);
  const decltype(found) expected{
    {"a", R"("x,}\"]")"}, {"b", R"({"c":[1,{"d":"}"}]})"}, {"e", "-1.5"}, {"f", "[]"}, {"g", "null"}};
  CHECK(found == expected);
  found.clear();
  rpc::for_each_member("{}", collect);
  CHECK(found.empty());
}

TEST_CASE("a job is queued only for a guest with a tag of If-Match, judged after the idempotency key") {
  journal_fixture f;
  f.add_guest("g");
  const auto tag = [&] { return guest_tag(f.doc("g"), f.board.tag_key()); };
  const auto first = tag();
  new_job job{"j1", "g", "reboot", "", "key", "digest"};
  job.if_match = first;
  f.batch([&] { return f.log->add_job(job); });
  f.batch([&] { return f.log->patch_guest_metadata("g", {{"k", "v"}}, first); });
  CHECK(tag() != first);
  CHECK(f.batch([&] { return f.log->add_job(job); }).repeated);
  job.id = "j2";
  job.idempotency_key = "other";
  CHECK(failure_of([&] { f.batch([&] { return f.log->add_job(job); }); }).code() == rpc::errc::precondition_failed);
  const auto patch = [&] { f.batch([&] { return f.log->patch_guest_metadata("g", {{"k", "w"}}, first); }); };
  CHECK(failure_of(patch).code() == rpc::errc::precondition_failed);
  job.if_match = "\"x\", " + tag();
  f.batch([&] { return f.log->add_job(job); });
  f.complete("create-g", guest_state{"running"});
  const auto before = tag();
  f.crash();
  CHECK(tag() == before);
}

TEST_CASE("two living guests never share a name, and no sub-agent changes names and labels") {
  journal_fixture f;
  const auto named = [&](const std::string& id, const std::string& name) {
    rpc::guest made;
    made.id = id;
    made.extra["name"] = '"' + name + '"';
    made.extra["labels"] = R"({"team":"a"})";
    f.batch([&] { return f.log->add_guest(made, {"create-" + id, id, "create", "", "", "d"}); });
  };
  named("a", "web");
  CHECK(failure_of([&] { named("b", "web"); }).message() == "the name web is another guest's");
  named("b", "db");
  rpc::guest returned;
  returned.id = "a";
  returned.memory = 5;
  returned.extra["labels"] = R"({"team":"other"})";
  f.complete("create-a", guest_returned{f.doc("a"), returned});
  CHECK(f.doc("a") == R"({"id":"a","memory":5,"labels":{"team":"a"},"name":"web"})");
  f.crash();
  CHECK(failure_of([&] { named("c", "web"); }).code() == rpc::errc::conflict);
}
