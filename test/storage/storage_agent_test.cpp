#include "lab.hpp"
#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/storage_agent.hpp"
#include "test/rpc/agent_calls.hpp"
#include "test/rpc/scripted_agent.hpp"
#include "web_source.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

using namespace mistify;
using namespace mistify::test;
using agents::storage::clone_kind;
using Catch::Contains;
using Catch::EndsWith;

namespace {

/// The sub-agent, called as the agent does.
struct agent_lab {
  static constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";

  explicit agent_lab(agents::storage::fetch_settings fetching = {}) : agent{0, make(), near(std::move(fetching))} {}

  /// The sources of these tests are on this host.
  static agents::storage::fetch_settings near(agents::storage::fetch_settings fetching) {
    fetching.reading.nets.emplace_back("127.0.0.0/8");
    return fetching;
  }

  temp_dir dir;
  agents::storage::backend* store = nullptr; // the agent's
  agents::storage::storage_agent agent;
  caller rpc{agent.server()};

  std::unique_ptr<agents::storage::backend> make() {
    auto made = std::make_unique<agents::storage::directory_store>(dir.path() / "store");
    store = made.get();
    return made;
  }

  std::string call(const std::string& method, const std::string& params) { return rpc("ImageStore." + method, params); }

  rpc::guest guest(const std::string& method, const std::string& disks, const std::string& more = "") {
    const auto text = call(method, R"({"guest":{"id":")" + std::string{id} + R"(","note":[1.0],"disks":)" + disks +
                                     R"(},"action":"create")" + more + "}");
    const auto answer = rpc::json::document::parse(text);
    return rpc::decode_guest(*answer.root().find("guest"));
  }

  void image(const std::string& name, std::uint64_t size_mb) {
    const auto file = store->staging() / "source";
    dir.write("store/.staging/source", "A");
    std::filesystem::resize_file(file, size_mb * mb);
    store->import_image(file, "raw", dataset_id::of_image(name), "here", {});
  }

  /// A guest's snapshot request.
  static std::string of(const std::string& rest, const std::string& more = "") {
    return R"({"id":"guests/)" + std::string{id} + rest + '"' + more + '}';
  }
};

} // namespace

TEST_CASE_METHOD(agent_lab, "a guest gets the disks it asks for, empty and from images") {
  image("base", 8);
  const auto g = guest("CreateGuestDisks", R"([{"size":16,"bus":"sata"},{"image":"base"},{"image":"base","size":12}])");
  REQUIRE(g.disks.size() == 3);
  CHECK(g.disks[0].volume == "guests/" + std::string{id} + "/disk-0");
  CHECK(g.disks[0].source == dir.path() / "store/guests" / id / "disk-0.qcow2");
  CHECK(g.disks[0].size == 16);
  CHECK(g.disks[0].bus == "sata");
  CHECK(g.disks[0].extra.at("format") == R"("qcow2")");
  CHECK(g.disks[1].size == 8);
  CHECK(g.disks[2].size == 12);
  CHECK(g.extra.at("note") == "[1.0]");
  for (const auto& d : g.disks)
    CHECK(std::filesystem::exists(d.source));
}

TEST_CASE_METHOD(agent_lab, "disks that are there already stay as they are, and another size is refused") {
  const auto first = guest("CreateGuestDisks", R"([{"size":16}])");
  const auto again = guest("CreateGuestDisks", R"([{"size":16}])");
  CHECK(again.disks[0].source == first.disks[0].source);
  const auto as_it_was = call("CreateGuestDisks", R"({"guest":)" + rpc::encode(first) + R"(,"action":"create"})");
  CHECK(as_it_was == R"({"guest":)" + rpc::encode(first) + '}');
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"size":32}])"), EndsWith("exists already, with another size"));
}

TEST_CASE_METHOD(agent_lab, "all disks of a guest are made, or none") {
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"size":16},{"image":"none"}])"), "disks[1].image: not found: none");
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"size":16},{}])"), "disks[1]: needs a size or an image");
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"size":16},{"size":60000000}])"), "no space left on device");
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"size":18446744073709551615}])"),
                    "disks[0].size: is more than 64 TiB");
  CHECK(store->list("").empty());
}

TEST_CASE_METHOD(agent_lab, "disks are verified without being made") {
  image("base", 8);
  const auto g = guest("VerifyDisks", R"([{"image":"base"},{"size":4}])");
  CHECK(g.disks[0].size == 8);
  CHECK(g.disks[0].volume.empty());
  CHECK_THROWS_WITH(guest("VerifyDisks", R"([{"image":"base"},{"size":60000000}])"), "no space left on device");
  CHECK(store->list("guests/").empty());
}

TEST_CASE_METHOD(agent_lab, "a disk may be a volume, or somebody else's, but not what belongs to others") {
  call("CreateVolume", R"({"id":"data/one","size":8})");
  const auto g = guest("CreateGuestDisks", R"([{"volume":"data/one"},{"source":"/dev/sdz"}])");
  CHECK_THAT(g.disks[0].source, EndsWith("data/one.qcow2"));
  CHECK(g.disks[1].source == "/dev/sdz");
  CHECK(g.disks[1].volume.empty());
  image("base", 8);
  for (const auto* taken : {"images/base", "guests/other/disk-0"})
    CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"volume":")" + std::string{taken} + R"("}])"),
                      Contains("belongs to something else"));
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"volume":"../../etc"}])"), Contains("invalid id"));
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"volume":"data/two"}])"), Contains("not found"));
}

TEST_CASE_METHOD(agent_lab, "the format and the place of a disk are the store's to say") {
  image("base", 8);
  call("CreateVolume", R"({"id":"data","size":8})");
  const auto lie = R"("source":"/etc/shadow","format":"raw"})";
  const auto wish =
    std::string{R"([{"size":8,)"} + lie + R"(,{"image":"base",)" + lie + R"(,{"volume":"data",)" + lie + ']';
  for (const auto* method : {"VerifyDisks", "CreateGuestDisks"}) {
    const auto text = rpc::encode(guest(method, wish));
    CHECK_THAT(text, !Contains("shadow") && !Contains(R"("raw")"));
  }
  for (const auto& d : guest("CreateGuestDisks", wish).disks) {
    CHECK_THAT(d.source, EndsWith(".qcow2"));
    CHECK(d.extra.at("format") == R"("qcow2")");
  }
}

TEST_CASE_METHOD(agent_lab, "a source alone never leads into the store") {
  image("base", 8);
  std::filesystem::create_symlink(dir.path() / "store", dir.path() / "link");
  for (const std::string path :
       {"store/images/base.qcow2", "link/images/base.qcow2", "other/../store/images/base.qcow2"})
    CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"source":")" + (dir.path() / path).string() + R"("}])"),
                      "disks[0].source: leads into the store; give the volume's name");
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"source":"/media/a\u000ab.iso"}])"), Contains("control characters"));
}

TEST_CASE_METHOD(agent_lab, "a volume is the disk of one guest at a time") {
  call("CreateVolume", R"({"id":"data","size":8})");
  const auto of = [&](const std::string& method, const std::string& who, const std::string& disks) {
    return call(method, R"({"guest":{"id":")" + who + R"(","disks":)" + disks + R"(},"action":"x"})");
  };
  const std::string disk = R"([{"volume":"data"}])";
  CHECK_THROWS_WITH(of("CreateGuestDisks", "one", R"([{"volume":"data"},{"volume":"data"}])"),
                    "disks[1]: is the same volume as another disk");
  CHECK_THROWS(of("CreateGuestDisks", "one", R"([{"volume":"data"},{"size":60000000}])"));
  of("CreateGuestDisks", "one", disk);
  of("CreateGuestDisks", "one", disk);
  for (const auto* method : {"VerifyDisks", "CreateGuestDisks"})
    CHECK_THROWS_WITH(of(method, "two", disk), "disks[0].volume: in use by another guest");
  const auto code_of = [&](const std::string& disks) {
    try {
      of("CreateGuestDisks", "two", disks);
      return rpc::errc::internal;
    } catch (const rpc::failure& e) {
      return e.code();
    }
  };
  CHECK(code_of(disk) == rpc::errc::sub_agent_in_use);
  CHECK(code_of(R"([{"volume":"none"}])") == rpc::errc::sub_agent_not_found);
  CHECK(code_of(R"([{"image":"none"}])") == rpc::errc::sub_agent_not_found);
  CHECK(code_of(R"([{"volume":"guests/one/disk-0"}])") == rpc::errc::sub_agent_refused);
  of("DeleteGuestsDisks", "two", disk);
  CHECK_THROWS_WITH(of("CreateGuestDisks", "two", disk), Contains("in use"));
  of("DeleteGuestsDisks", "one", disk);
  of("CreateGuestDisks", "two", disk);
  CHECK_THROWS_WITH(call("DeleteDataset", R"({"id":"data"})"), "data is in use: it is a guest's disk");
  CHECK(store->find(dataset_id::parse("data")));
  of("DeleteGuestsDisks", "two", disk);
  call("DeleteDataset", R"({"id":"data"})");
  call("CreateVolume", R"({"id":"data","size":8})");
  of("CreateGuestDisks", "one", disk);
}

TEST_CASE_METHOD(agent_lab, "a guest that cannot have all of its volumes holds none of them") {
  for (const auto* name : {"one", "two"})
    call("CreateVolume", R"({"id":")" + std::string{name} + R"(","size":8})");
  dir.write("store/two.guest.new/in-the-way", "");
  CHECK_THROWS(guest("CreateGuestDisks", R"([{"volume":"one"},{"volume":"two"}])"));
  CHECK(store->owner_of(dataset_id::parse("one")).empty());
}

TEST_CASE_METHOD(agent_lab, "a snapshot that would leave out a disk of the guest is refused by the disk's name") {
  call("CreateVolume", R"({"id":"data","size":8})");
  guest("CreateGuestDisks", R"([{"size":8},{"volume":"data"}])");
  const auto whole = R"({"id":"guests/)" + std::string{id} + R"(","dest":"s","recursive":true})";
  CHECK_THROWS_WITH(call("CreateSnapshot", whole), Contains("data is a disk of the guest, too"));
  call("CreateSnapshot", R"({"id":"data","dest":"s"})");
  call("CreateSnapshot", R"({"id":"guests/)" + std::string{id} + R"(/disk-0","dest":"s"})");
}

TEST_CASE_METHOD(agent_lab, "a guest may name its own disks, each of them once") {
  const auto made = guest("CreateGuestDisks", R"([{"size":8},{"size":4}])");
  const auto named = guest("CreateGuestDisks", R"([{"volume":")" + made.disks[1].volume + R"("}])");
  CHECK(named.disks[0].source == made.disks[1].source);
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"size":8},{"volume":"guests/)" + std::string{id} + R"(/disk-0"}])"),
                    Contains("same volume"));
}

TEST_CASE_METHOD(agent_lab, "a guest's disks go, and only those that are its own") {
  call("CreateVolume", R"({"id":"data","size":8})");
  guest("CreateGuestDisks", R"([{"size":8},{"volume":"data"}])");
  const auto own = "guests/" + std::string{id} + "/disk-0";
  for (const auto* method : {"DeleteGuestsDisks", "DeleteGuestDisks"}) {
    const auto g = guest(method, R"([{"volume":")" + own + R"("},{"volume":"data"}])");
    REQUIRE(g.disks.size() == 1);
    CHECK(g.disks[0].volume == "data");
  }
  CHECK(call("ListVolumes", "{}") ==
        R"({"volumes":[{"id":"data","size":8,"device":")" + (dir.path() / "store/data.qcow2").string() + "\"}]}");
}

TEST_CASE_METHOD(agent_lab, "a full clone lets the image go") {
  image("base", 8);
  guest("CreateGuestDisks", R"([{"image":"base"}])", R"(,"args":{"clone":"full"})");
  CHECK_NOTHROW(call("DeleteImage", R"({"id":"base"})"));
  CHECK_THROWS_WITH(guest("CreateGuestDisks", R"([{"size":8}])", R"(,"args":{"clone":"half"})"),
                    Contains("args.clone"));
}

TEST_CASE_METHOD(agent_lab, "images are listed, got, cloned and deleted") {
  CHECK(call("ListImages", "{}") == R"({"images":[]})");
  image("base", 8);
  const auto one = R"({"images":[{"id":"base","type":"kvm","volume":"images/base","size":8,"status":"complete"}]})";
  CHECK(call("ListImages", "{}") == one);
  CHECK(call("GetImage", R"({"id":"base"})") == one);
  CHECK_THROWS_WITH(call("GetImage", R"({"id":"none"})"), "not found");
  CHECK_THROWS_WITH(call("GetImage", "{}"), "need an id");
  CHECK_THROWS_WITH(call("CloneImage", R"({"id":"base"})"), "need a dest");
  CHECK_THAT(call("CloneImage", R"({"id":"base","dest":"data/copy"})"), Contains(R"("id":"data/copy","size":8)"));
  CHECK_THROWS_WITH(call("CloneImage", R"({"id":"none","dest":"x"})"), "not found");
  CHECK_THROWS_WITH(call("DeleteImage", R"({"id":"base"})"), "images/base is in use: disks stand on it");
  call("DeleteDataset", R"({"id":"data/copy"})");
  CHECK(call("DeleteImage", R"({"id":"base"})") == one);
  CHECK_THROWS_WITH(call("DeleteImage", R"({"id":"base"})"), "not found");
}

TEST_CASE_METHOD(agent_lab, "volumes are created, got and deleted") {
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":"a"})"), "need a valid size");
  CHECK_THROWS_WITH(call("CreateVolume", R"({"size":1})"), "need an id");
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":"images/a","size":1})"), Contains("invalid id"));
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":"../a","size":1})"), "invalid id: ../a");
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":"a","size":60000000})"), "no space left on device");
  const auto made = call("CreateVolume", R"({"id":"a","size":1})");
  CHECK(call("CreateVolume", R"({"id":"a","size":1})") == made);
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":"a","size":2})"), "a exists already, with another size");
  CHECK(call("GetVolume", R"({"id":"a"})") == made);
  CHECK(call("DeleteDataset", R"({"id":"a"})") == made);
  CHECK_THROWS_WITH(call("DeleteDataset", R"({"id":"a"})"), "not found");
  CHECK_THROWS_WITH(call("GetVolume", R"({"id":"a"})"), "not found");
}

TEST_CASE_METHOD(agent_lab, "snapshots go through their life, of a guest and of a disk") {
  guest("CreateGuestDisks", R"([{"size":1},{"size":1}])");
  const std::string g = "guests/" + std::string{id};
  const auto all = call("CreateSnapshot", of("", R"(,"dest":"s1","recursive":true)"));
  for (const auto* part : {"@s1", "/disk-0@s1", "/disk-1@s1"})
    CHECK_THAT(all, Contains('"' + g + part + '"'));
  CHECK(call("ListSnapshots", of("")) == all);
  CHECK(call("ListSnapshots", "{}") == all);
  CHECK_THAT(call("GetSnapshot", of("@s1")), Contains(g + "@s1") && !Contains("disk"));
  CHECK_THAT(call("CreateSnapshot", of("/disk-1", R"(,"dest":"s2")")), Contains(g + "/disk-1@s2"));
  CHECK_THROWS_WITH(call("RollbackSnapshot", of("@s1")), Contains("more recent"));
  CHECK_THAT(call("RollbackSnapshot", of("@s1", R"(,"destroyMoreRecent":true)")), Contains(g + "@s1"));
  CHECK(call("DeleteSnapshot", of("@s1", R"(,"recursive":true)")) == all);
  CHECK(call("ListSnapshots", of("")) == R"({"snapshots":[]})");
}

TEST_CASE_METHOD(agent_lab, "what is wrong with a snapshot request is said") {
  guest("CreateGuestDisks", R"([{"size":1}])");
  CHECK_THROWS_WITH(call("CreateSnapshot", "{}"), "need an id");
  CHECK_THROWS_WITH(call("CreateSnapshot", of("/disk-0")), "need a dest");
  CHECK_THROWS_WITH(call("CreateSnapshot", of("/disk-0", R"(,"dest":"a/../b")")), "invalid snapshot dest");
  CHECK_THROWS_WITH(call("CreateSnapshot", of("", R"(,"dest":"s")")), Contains("has to be recursive"));
  CHECK_THROWS_WITH(call("CreateSnapshot", of("@s", R"(,"dest":"s")")), "cannot create a snapshot of a snapshot");
  CHECK_THROWS_WITH(call("CreateSnapshot", of("/disk-7", R"(,"dest":"s")")), "not found");
  for (const auto* method : {"GetSnapshot", "DeleteSnapshot", "RollbackSnapshot"}) {
    CHECK_THROWS_WITH(call(method, "{}"), "need an id");
    CHECK_THROWS_WITH(call(method, of("/disk-0")), "not a snapshot");
    CHECK_THROWS_WITH(call(method, of("/disk-0@none")), "not found");
    CHECK_THROWS_WITH(call(method, R"({"id":"guests/../images/x@s"})"), Contains("invalid id"));
  }
}

TEST_CASE_METHOD(agent_lab, "a snapshot is downloaded, or the reason is told with its status") {
  guest("CreateGuestDisks", R"([{"size":3}])");
  call("CreateSnapshot", of("", R"(,"dest":"s","recursive":true)"));
  auto to = caller::at(agent.server());
  to.path = "/snapshots/download";
  rpc::client raw{to};
  to.path = "/snapshots/download/qcow2";
  rpc::client qcow2{to};
  const auto size_of = [&](rpc::client& from, const std::string& request) {
    std::int64_t told = 0;
    std::size_t bytes = 0;
    const auto end = from.download(request, std::chrono::seconds{5}, {},
                                   {[&](std::int64_t length) { told = length; },
                                    [&](std::string_view piece) {
                                      bytes += piece.size();
                                      return true;
                                    }});
    CHECK(end == rpc::download_end::complete);
    CHECK(told == static_cast<std::int64_t>(bytes));
    return bytes;
  };
  CHECK(size_of(raw, of("/disk-0@s")) == 3 * mb);
  CHECK(size_of(raw, of("@s")) == 3 * mb + 512 + 1024);
  CHECK(size_of(qcow2, of("/disk-0@s")) < mb);
  const auto status_of = [&](const std::string& request) {
    try {
      size_of(raw, request);
    } catch (const rpc::download_refused& e) {
      return std::to_string(e.status()) + ' ' + e.message();
    }
    return std::string{};
  };
  CHECK(status_of(of("/disk-0@none")) == "404 not found");
  CHECK(status_of(of("/disk-0")) == "404 not a snapshot");
  CHECK(status_of("{}") == "400 need an id");
  CHECK_THAT(status_of("nonsense"), Contains("400"));
}

TEST_CASE_METHOD(agent_lab, "calls on one guest take turns, however they come") {
  guest("CreateGuestDisks", R"([{"size":1}])");
  std::vector<std::thread> threads;
  std::atomic<int> made = 0;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&, i] {
      call("CreateSnapshot", of("/disk-0", R"(,"dest":"s)" + std::to_string(i) + '"'));
      ++made;
    });
  for (auto& t : threads)
    t.join();
  CHECK(made == 6);
  CHECK(store->snapshots("").size() == 6);
}

TEST_CASE_METHOD(agent_lab, "an image is fetched, under its own name or the source's") {
  web_source web;
  web.body = std::string(3 * mb, 'A');
  const auto source = R"("source":")" + web.url("/base.img.gz?token=1") + '"';
  const auto made = call("RequestImage", '{' + source + '}');
  CHECK(made ==
        R"({"images":[{"id":"base.img","type":"kvm","volume":"images/base.img","size":3,"status":"complete"}]})");
  CHECK(call("RequestImage", '{' + source + '}') == made);
  CHECK(web.requests().size() == 1);
  CHECK_THAT(call("RequestImage", R"({"id":"mine",)" + source + '}'), Contains(R"("id":"mine")"));
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"mine","source":"http://127.0.0.1:1/x"})"),
                    Contains("images/mine exists already, from " + web.url("/base.img.gz") + " sha256:"));
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"mine","sha256":")" + std::string(64, '0') + "\"," + source + '}'),
                    Contains("exists already"));
}

TEST_CASE_METHOD(agent_lab, "what is wrong with the request for an image is said, and nothing stays behind") {
  web_source web;
  web.body = std::string(mb, 'A');
  const auto source = R"("source":")" + web.url() + '"';
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"x"})"), "need source");
  CHECK_THROWS_WITH(call("RequestImage", R"({"source":"disk.img"})"), Contains("must be an http, https or file URL"));
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"../x",)" + source + '}'), "invalid id: images/../x");
  CHECK_THROWS_WITH(call("RequestImage", R"({"source":"http://127.0.0.1/"})"), "need an id");
  CHECK_THROWS_WITH(call("RequestImage", R"({"sha256":"12",)" + source + '}'), Contains("64 hexadecimal digits"));
  CHECK_THROWS_WITH(call("RequestImage", R"({"sha256":")" + std::string(64, '0') + "\"," + source + '}'),
                    Contains("and not 000"));
  CHECK_THROWS_WITH(call("RequestImage", R"({"args":{"sha256":")" + std::string(64, '1') + "\"}," + source + '}'),
                    Contains("and not 111"));
  CHECK(call("ListImages", "{}") == R"({"images":[]})");
  CHECK(std::filesystem::is_empty(store->staging()));
}

namespace {

/// A folder that images may come from.
struct image_folder {
  temp_dir home;
  std::filesystem::path images = std::filesystem::canonical(home.path()) / "images";

  image_folder() { std::filesystem::create_directory(images); }
};

/// An agent that reads files of that folder only.
struct strict_lab : image_folder, agent_lab {
  strict_lab() : agent_lab{{.reading = {.files = {images.string()}}}} {}

  /// The code of a refused fetch of that source; `sum` is the sum that it names.
  rpc::errc code_of(const std::string& source, const std::string& sum = {}) {
    const auto named = sum.empty() ? sum : R"(,"sha256":")" + sum + '"';
    try {
      call("RequestImage", R"({"id":"x","source":")" + source + '"' + named + '}');
      return rpc::errc::none;
    } catch (const rpc::failure& e) {
      return e.code();
    }
  }
};

} // namespace

TEST_CASE_METHOD(strict_lab, "a source that a rule forbids is refused, and one that fails is not") {
  CHECK(code_of("file:///etc/passwd") == rpc::errc::sub_agent_refused);
  CHECK(code_of("http://169.254.0.1/x.img") == rpc::errc::sub_agent_refused);
  CHECK(code_of("http://10.0.0.1/x.img", std::string(64, '0')) == rpc::errc::sub_agent_refused);
  CHECK(code_of("file://" + (images / "none").string()) == rpc::errc::sub_agent_failed);
  web_source moved;
  moved.redirect = "file:///etc/passwd";
  CHECK(code_of(moved.url(), std::string(64, '0')) == rpc::errc::sub_agent_refused);
  web_source none;
  none.statuses = {404, 404};
  CHECK(code_of(none.url()) == rpc::errc::sub_agent_failed);
}

TEST_CASE_METHOD(strict_lab, "a sum that leads out of the folders is refused as the image would be") {
  std::filesystem::create_symlink("/etc/passwd", images / "a.img.sha256");
  std::ofstream{images / "a.img"} << "A";
  CHECK(code_of("file://" + (images / "a.img").string()) == rpc::errc::sub_agent_refused);
}

TEST_CASE_METHOD(agent_lab, "an image that two ask for is fetched once, and seen to come") {
  web_source web;
  web.body = std::string(3 * mb, 'A');
  std::atomic<bool> go_on = false;
  web.half_way = [&] {
    for (int i = 0; i < 500 && !go_on; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
  };
  const auto wish = R"({"id":"base","source":")" + web.url() + "\"}";
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      call("RequestImage", wish);
      ++answered;
    });
  std::string seen;
  for (int i = 0; i < 500 && seen.find(" of 3 MB") == seen.npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    seen = call("ListImages", "{}");
  }
  CHECK_THAT(seen, Contains(R"({"id":"base","type":"kvm","volume":"images/base","size":3,"status":"fetching: )"));
  CHECK_THAT(call("GetImage", R"({"id":"base"})"), Contains(" MB/s"));
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"base","source":"http://127.0.0.1:1/x"})"),
                    Contains("from elsewhere"));
  CHECK(answered == 0);
  go_on = true;
  for (auto& t : threads)
    t.join();
  CHECK(answered == 2);
  CHECK(web.requests().size() == 1);
  CHECK_THAT(call("GetImage", R"({"id":"base"})"), Contains("complete"));
}

TEST_CASE("every job that waits for an image is told how far it is") {
  std::mutex mutex;
  std::set<std::string> told;
  scripted_agent agent{[&](peer& p) {
    for (auto report = p.request(); !report.empty() && p.send(http("{}")); report = p.request()) {
      const std::lock_guard lock{mutex};
      if (report.find(" of 3 MB, ") != report.npos)
        told.insert(report.substr(0, report.find(" HTTP")));
    }
  }};
  const auto told_both = [&] {
    const std::lock_guard lock{mutex};
    return told == std::set<std::string>{"PUT /jobs/one/progress", "PUT /jobs/other/progress"};
  };
  web_source web;
  web.body = std::string(3 * mb, 'A');
  web.half_way = [&] {
    for (int i = 0; i < 500 && !told_both(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
  };
  agent_lab lab{{.agent = "http://127.0.0.1:" + std::to_string(agent.port())}};
  const auto ask = [&](std::string_view job) {
    rpc::client own{caller::at(lab.agent.server())};
    own.call("ImageStore.RequestImage", R"({"id":"base","source":")" + web.url() + "\"}", {}, {}, {.job_id = job});
  };
  std::thread one{[&] { ask("one"); }}, other{[&] { ask("other"); }};
  one.join();
  other.join();
  CHECK(told_both());
  CHECK(web.requests().size() == 1);
}

TEST_CASE_METHOD(agent_lab, "a fetch ends when the last one who waited for it has left") {
  web_source web;
  web.body = std::string(3 * mb, 'A');
  std::atomic<bool> begun = false, go_on = false;
  web.half_way = [&] {
    begun = true;
    for (int i = 0; i < 500 && !go_on; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
  };
  const auto wish = R"({"id":"base","source":")" + web.url() + "\"}";
  const rpc::cancellation one, other;
  const auto ask = [&](const rpc::cancellation& cancel) {
    rpc::client own{caller::at(agent.server())};
    CHECK_THROWS_AS(own.call("ImageStore.RequestImage", wish, {}, cancel), rpc::failure);
  };
  std::thread first{[&] { ask(one); }}, second{[&] { ask(other); }};
  const auto wait_until = [](const auto& true_) {
    for (int i = 0; i < 500 && !true_(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    return true_();
  };
  CHECK(wait_until([&] { return begun.load(); }));
  one.cancel();
  first.join();
  std::this_thread::sleep_for(std::chrono::milliseconds{300});
  CHECK_THAT(call("ListImages", "{}"), Contains("fetching"));
  other.cancel();
  second.join();
  CHECK(wait_until([&] { return call("ListImages", "{}") == R"({"images":[]})"; }));
  go_on = true;
  CHECK(std::filesystem::is_empty(store->staging()));
  CHECK_THAT(call("RequestImage", wish), Contains("complete"));
}

TEST_CASE_METHOD(agent_lab, "secrets of a source are shown to nobody, and make no other source of it") {
  web_source web;
  web.body = std::string(mb, 'A');
  const auto signed_url = [&](const std::string& user, const std::string& signature) {
    return R"({"id":"base","source":"http://)" + user + ":secret@" + web.url().substr(7) + "?sig=secret" + signature +
           "\"}";
  };
  const auto made = call("RequestImage", signed_url("one", "1"));
  CHECK(call("RequestImage", signed_url("two", "2")) == made);
  CHECK(web.requests().size() == 1);
  CHECK(store->origin_of(dataset_id::of_image("base")).find("secret") == std::string::npos);
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"base","source":"http://u:secret@127.0.0.1:1/x?secret"})"),
                    Contains("exists already, from " + web.url()) && !Contains("secret"));
  for (const auto* bad : {"http://u:secret@127.0.0.1", "http://u:secret/@h:x/", "ftp://u:secret@h/x"}) {
    INFO(bad);
    CHECK_THROWS_WITH(call("RequestImage", R"({"source":")" + std::string{bad} + "\"}"), !Contains("secret"));
    CHECK_THROWS_WITH(call("RequestImage", R"({"id":")" + std::string{bad} + "\"}"), !Contains("secret"));
  }
}

TEST_CASE_METHOD(agent_lab, "secrets that an older version kept are not shown either") {
  dir.write("store/.staging/source", "A");
  store->import_image(store->staging() / "source", "raw", dataset_id::of_image("old"),
                      "http://u:secret@h/x?secret sha256:" + std::string(64, '0'), {});
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"old","source":"http://127.0.0.1:1/x"})"),
                    Contains("exists already, from http://h/x sha256:000") && !Contains("secret"));
  CHECK_THAT(call("RequestImage", R"({"id":"old","source":"http://h/x"})"), Contains("complete"));
}

TEST_CASE("an image with nothing but an id comes from the image server, in either of its places") {
  web_source web;
  web.body = std::string(mb, 'A');
  std::string missing = "nothing";
  web.special = [&](const std::string& request) {
    return request.find("GET /at" + missing) == request.npos ? "" : web.answer("404 Not Found", "");
  };
  agents::storage::fetch_settings settings;
  settings.server = web.url("/at");
  agent_lab lab{settings};
  CHECK_THAT(lab.call("RequestImage", R"({"id":"one"})"), Contains("complete"));
  CHECK_THAT(web.requests().back(), Catch::StartsWith("GET /at/images/one/download HTTP"));
  missing = "/images/";
  const auto two = lab.call("RequestImage", R"({"id":"two"})");
  CHECK_THAT(web.requests().back(), Catch::StartsWith("GET /at/two HTTP"));
  const auto asked = web.requests().size();
  CHECK(lab.call("RequestImage", R"({"id":"two"})") == two);
  CHECK_THAT(lab.call("RequestImage", R"({"id":"one"})"), Contains("complete"));
  CHECK(web.requests().size() == asked);
  CHECK_THAT(lab.call("RequestImage", R"({"source":"a/three.img"})"), Contains(R"("id":"three.img")"));
  CHECK_THAT(web.requests().back(), Catch::StartsWith("GET /at/a/three.img HTTP"));
}

TEST_CASE("one host leaves room for images of others, and its own wait for a place") {
  web_source web, other;
  web.body = other.body = std::string(mb, 'A');
  std::atomic<bool> begun = false, go_on = false;
  web.half_way = [&] {
    begun = true;
    for (int i = 0; i < 500 && !go_on; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
  };
  agents::storage::fetch_settings settings;
  settings.most = 2;
  agent_lab lab{settings};
  const auto wish = [&](const std::string& id, const std::string& url) {
    return R"({"id":")" + id + R"(","source":")" + url + "\"}";
  };
  std::thread slow{[&] { lab.call("RequestImage", wish("slow", web.url())); }};
  for (int i = 0; i < 500 && !begun; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  std::string waited;
  std::thread waiting{[&] { waited = lab.call("RequestImage", wish("more", web.url("/more"))); }};
  for (int i = 0; i < 500 && lab.call("ListImages", "{}").find(R"("status":"waiting")") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  CHECK_THAT(lab.call("GetImage", R"({"id":"more"})"), Contains(R"("status":"waiting")"));
  CHECK_THAT(lab.call("RequestImage", wish("other", "http://localhost" + other.url().substr(16))),
             Contains("complete"));
  CHECK(web.requests().size() == 1);
  go_on = true;
  slow.join();
  waiting.join();
  CHECK_THAT(waited, Contains("complete"));
}

TEST_CASE_METHOD(agent_lab, "no volume is made in a guest's folder, where the guest would take it for its disk") {
  image("base", 8);
  const auto in_folder = [&](const std::string& name) { return "guests/" + std::string{id} + name; };
  for (const auto& name : {in_folder("/disk-0"), in_folder("/disk-7"), in_folder("")}) {
    CHECK_THROWS_WITH(call("CreateVolume", R"({"id":")" + name + R"(","size":8})"),
                      "invalid id: " + name + " is in a guest's folder, whose disks are made with it");
    CHECK_THROWS_WITH(call("CloneImage", R"({"id":"base","dest":")" + name + "\"}"),
                      Contains("is in a guest's folder"));
  }
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":"images/x","size":8})"), Contains("is an image's name"));
  CHECK_THROWS_WITH(call("CloneImage", R"({"id":"base","dest":"images/x"})"), Contains("is an image's name"));
  CHECK(store->list("guests/").empty());
  guest("CreateGuestDisks", R"([{"size":16}])");
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":")" + in_folder("/disk-0") + R"(","size":16})"),
                    Contains("is in a guest's folder"));
}

TEST_CASE_METHOD(agent_lab, "members of requests about images, snapshots and volumes have exact names") {
  CHECK_THROWS_WITH(call("CreateSnapshot", R"({"id":"data","Dest":"s"})"), Contains("the name of this member is dest"));
  CHECK_THROWS_WITH(call("RollbackSnapshot", R"({"id":"data@s","DestroyMoreRecent":true})"),
                    Contains("the name of this member is destroyMoreRecent"));
  CHECK_THROWS_WITH(call("CloneImage", R"({"id":"base","Dest":"x"})"), Contains("the name of this member is dest"));
  CHECK_THROWS_WITH(call("CreateVolume", R"({"id":"a","Size":1})"), Contains("the name of this member is size"));
  CHECK_THROWS_WITH(call("RequestImage", R"({"id":"base","SOURCE":"x"})"),
                    Contains("the name of this member is source"));
}

TEST_CASE("a network that is none, or an image server that is none, is refused at the start") {
  agents::storage::fetch_settings settings;
  settings.reading.nets = {"127.0.0.0/99"};
  CHECK_THROWS_WITH(agent_lab{settings}, Contains("127.0.0.0/99"));
  settings.reading.nets.clear();
  settings.server = "images.local:80";
  CHECK_THROWS_WITH(agent_lab{settings}, Contains("image server"));
}
