#include "rpc/model/codec.hpp"
#include "rpc/model/exact_names.hpp"

#include <catch2/catch.hpp>

using namespace mistify::rpc;

namespace {

std::string inexact(std::string_view guest) {
  const auto found = find_inexact_name(decode_guest(guest));
  return found ? found->path + " is " + found->known : "";
}

/// What is wrong with a request, "" for a good one.
template <class Decode>
std::string complaint_of(Decode decode, std::string_view request) {
  try {
    decode(request);
    return {};
  } catch (const failure& e) {
    CHECK(e.code() == errc::invalid_request);
    return e.message();
  }
}

std::string inexact_image(std::string_view wish) {
  return complaint_of([](std::string_view text) { decode_image_request(text); }, wish);
}

std::string inexact_snapshot(std::string_view wish) {
  return complaint_of([](std::string_view text) { decode_snapshot_request(text); }, wish);
}

} // namespace

TEST_CASE("a known name in another case is found at every level of a guest") {
  CHECK(inexact(R"({"Memory":512})") == "Memory is memory");
  CHECK(inexact(R"({"id":"g","memory":1,"MEMORY":2})") == "MEMORY is memory");
  CHECK(inexact(R"({"nics":[{},{"modeL":"x"}]})") == "nics[1].modeL is model");
  CHECK(inexact(R"({"disks":[{"Source":"/etc/shadow"}]})") == "disks[0].Source is source");
  CHECK(inexact(R"({"metaData":{}})") == "metaData is metadata");
  CHECK(inexact(R"({"disks":[{"Format":"raw"}]})") == "disks[0].Format is format");
  CHECK(inexact(R"({"Start":true})") == "Start is start");
}

TEST_CASE("letters that readers fold to ASCII ones do not hide a name") {
  CHECK(inexact("{\"di\u017fks\":[]}") == "di\u017fks is disks");
  CHECK(inexact("{\"dis\u212as\":[]}") == "dis\u212as is disks");
  CHECK(inexact("{\"nics\":[{\"networ\u212a\":\"n\"}]}") == "nics[0].networ\u212a is network");
}

TEST_CASE("unknown names, exact ones and keys of metadata are free") {
  CHECK(inexact(R"({"id":"g","owner":"me","Owner":"you","nics":[{"mtu":1500,"Mtu":1}]})").empty());
  CHECK(inexact(R"({"metadata":{"Memory":"1","memory":"2","ID":"3"}})").empty());
  CHECK(inexact(R"({"memory":1,"memories":2,"memor":3})").empty());
}

TEST_CASE("what a client asks of an image store has exact names too") {
  CHECK(inexact_image(R"({"id":"i","Source":"http://x"})") == "Source: the name of this member is source");
  CHECK(inexact_image(R"({"id":"i","Args":{}})") == "Args: the name of this member is args");
  CHECK(inexact_image(R"({"id":"i","name":"n","Opts":"o"})") == "Opts: the name of this member is opts");
  CHECK(inexact_image(R"({"id":"i","SHA256":"0"})") == "SHA256: the name of this member is sha256");
  CHECK(inexact_image(R"({"id":"i","args":{},"name":"n","opts":"o","sha256":"0"})").empty());
}

TEST_CASE("a request about snapshots has exact names, and others are free") {
  CHECK(inexact_snapshot(R"({"id":"g","Dest":"a"})") == "Dest: the name of this member is dest");
  CHECK(inexact_snapshot(R"({"dest":"a","DEST":"b"})") == "DEST: the name of this member is dest");
  CHECK(inexact_snapshot(R"({"DestroyMoreRecent":true})") ==
        "DestroyMoreRecent: the name of this member is destroyMoreRecent");
  CHECK(inexact_snapshot("{\"recur\u017five\":true}") == "recur\u017five: the name of this member is recursive");
  CHECK(inexact_snapshot(R"({"id":"g","dest":"a","recursive":true,"destroyMoreRecent":true,"Owner":1})").empty());
  CHECK(inexact_snapshot("{}").empty());
}

TEST_CASE("what a sub-agent answers about images and snapshots may have any names") {
  const auto answer = json::document::parse(R"({"id":"i","ID":"j","Size":7,"VOLUME":"v"})");
  CHECK(decode_image(answer.root()).id == "i");
  CHECK(decode_snapshot(answer.root()).size == 0);
}

TEST_CASE("a refusal says which name is meant") {
  try {
    expect_exact_names(decode_guest(R"({"nics":[{"MAC":"x"}]})"));
    FAIL("nothing was thrown");
  } catch (const failure& e) {
    CHECK(e.code() == errc::invalid_request);
    CHECK(e.message() == "nics[0].MAC: the name of this member is mac");
  }
}
