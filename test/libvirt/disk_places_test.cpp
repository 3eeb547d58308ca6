#include "rpc/agents/libvirt/disk_places.hpp"
#include "test/libvirt/fixture.hpp"

using namespace mistify;
using agents::disk_places;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

const std::string me = "0a1b2c3d-0000-4000-8000-000000000001", she = "0a1b2c3d-0000-4000-8000-000000000002";

struct places_lab : test::disk_lab {
  disk_places allowed{places()};

  std::string own = put_volume("guests/" + me + "/disk-0");

  /// Why the path is no disk of the guest's.
  std::string refusal(const std::string& source) const {
    try {
      allowed.find(source, me, "d");
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "taken";
  }
};

} // namespace

TEST_CASE_METHOD(places_lab, "a guest may have its own disks and volumes of nobody, to write") {
  const auto mine = allowed.find(disk_of("guests/" + me + "/disk-0", own), me, "d");
  CHECK_FALSE(mine.read_only);
  CHECK_FALSE(mine.is_shared);
  CHECK(mine.format() == "qcow2");
  const auto shared = allowed.find(disk_of("vols/a", put_volume("vols/a")), me, "d");
  CHECK_FALSE(shared.read_only);
  CHECK(shared.is_shared);
}

TEST_CASE_METHOD(places_lab, "a guest may have neither others' disks, nor images, nor what is no volume") {
  CHECK(refusal(put_volume("guests/" + she + "/disk-0")) == "d: is another guest's disk");
  CHECK(refusal(put_volume("images/base")) == "d: is an image, and images are no disks");
  for (const auto* name : {"guests/g/disk-0@snap", ".staging/7", "guests/x", "seeds", "seeds/x", "vols/-a", "vols/a b"})
    CHECK(refusal(put_volume(name)) == "d: is no volume of the store");
  CHECK(refusal(put_volume("guests/" + me + "/disk-0@snap")) == "d: is no volume of the store");
  CHECK(refusal(dir.write("store/vols.raw", "x")) == "d: is no volume of the store");
}

TEST_CASE_METHOD(places_lab, "names that lead elsewhere are judged by where they lead") {
  const auto hers = put_volume("guests/" + she + "/disk-0"),
             link = (store / ("guests/" + me + "/disk-1.qcow2")).string();
  fs::create_symlink(hers, link);
  CHECK(refusal(link) == "d: is another guest's disk");
  CHECK(refusal(store / ("guests/" + me + "/../" + she + "/disk-0.qcow2")) == "d: is another guest's disk");
  fs::create_symlink("/etc/hostname", media / "hosts");
  fs::create_symlink(hers, media / "hers.qcow2");
  CHECK(refusal(media / "hers.qcow2") == "d: is another guest's disk");
  for (const auto& path : {std::string{media / "hosts"}, std::string{media / "../../../etc/shadow"},
                           std::string{"/etc/shadow"}, std::string{"/dev/sda"}, std::string{store}, std::string{media}})
    CHECK_THAT(refusal(path), Catch::StartsWith("d: "));
}

TEST_CASE_METHOD(places_lab, "text that is no plain path is refused") {
  for (const auto& path : {std::string{}, std::string{"a"}, std::string{"nbd://host/export"}, std::string{"json:{}"},
                           own + "\n", own + '\0', own + "\x7f", own + '/'})
    CHECK(refusal(path) != "taken");
}

TEST_CASE_METHOD(places_lab, "what is behind a disk has to lie in the store too, whatever the guest wrote into it") {
  put_volume("images/base");
  put_volume("guests/" + me + "/disk-0", {.backing = "../../images/base.qcow2"});
  CHECK(allowed.find(own, me, "d").chain.size() == 2);
  for (const auto* behind : {"/etc/shadow", "../../../media/x", "json:{}", "nbd://localhost/x"}) {
    put_volume("guests/" + me + "/disk-0", {.backing = behind});
    CHECK(refusal(own) != "taken");
  }
  put_volume("guests/" + me + "/disk-0", {.data_file = "/etc/shadow", .features = 4});
  CHECK(refusal(own) != "taken");
}

TEST_CASE_METHOD(places_lab, "a disk whose header names what another guest has is refused, wherever in the chain") {
  const auto disk = "guests/" + me + "/disk-0";
  put_volume("guests/" + she + "/disk-0");
  put_volume("guests/" + she + "/disk-0@one");
  put_volume("guests/" + me + "/disk-1");
  put_volume("vols/a");
  for (const auto& behind : {"../" + she + "/disk-0.qcow2", "../" + she + "/disk-0@one.qcow2",
                             std::string{"./disk-1.qcow2"}, std::string{"../../vols/a.qcow2"}}) {
    put_volume(disk, {.backing = behind});
    CHECK_THAT(refusal(own), Contains("disk-0.qcow2: stands on what is not its own: "));
    put_volume(disk, {.backing = "./disk-0@one.qcow2"});
    put_volume(disk + "@one", {.backing = behind});
    CHECK_THAT(refusal(own), Contains("stands on what is not its own"));
  }
  put_volume("images/base");
  put_volume(disk + "@one", {.backing = "../../images/base.qcow2"});
  CHECK(allowed.find(own, me, "d").chain.size() == 3);
}

TEST_CASE_METHOD(places_lab, "a path alone is no disk of the store, and a volume is not believed beside another path") {
  for (const auto& volume : {std::string{}, "guests/" + me + "/disk-1", std::string{"vols/a"}})
    CHECK_THROWS_WITH(allowed.find(disk_of(volume, own), me, "d"), Contains("d.source: a path alone is no disk"));
}

TEST_CASE_METHOD(places_lab, "media are read-only, of the format that their name says") {
  const auto iso = allowed.find(disk_of("", put_media("a.iso", test::qcow2_maker{}.bytes())), me, "d");
  CHECK(iso.read_only);
  CHECK(iso.format() == "raw");
  put_media("b.qcow2", test::qcow2_maker{.backing = own}.bytes());
  CHECK(refusal(media / "b.qcow2") != "taken");
}

TEST_CASE_METHOD(places_lab, "without a folder of media there is none") {
  const disk_places bare{{.stores = {store}}};
  CHECK_THROWS_WITH(bare.find(put_media("a.iso"), me, "d"), Contains("must be a volume of the store"));
  CHECK_THROWS_WITH(bare.find_media(media / "a.iso", "k"), "k: must be a file in a folder of --media");
}

TEST_CASE_METHOD(places_lab, "kernels are files of the media, and never disks") {
  CHECK(allowed.find_media(put_media("k"), "k") == media / "k");
  fs::create_symlink(own, media / "l");
  for (const auto& path : {own, std::string{"/etc/shadow"}, std::string{media / "l"}, std::string{media / "k\n"}})
    CHECK_THROWS_WITH(allowed.find_media(path, "k"), Catch::StartsWith("k: "));
}

TEST_CASE_METHOD(places_lab, "zvols of a pool are raw devices, and belong to guests by their names") {
  // No device can be made here: a file in its place gets as far as the look at what it is.
  dir.write("zvol-a", "x");
  fs::create_directories(home / "zvol/tank/guests" / me);
  fs::create_directories(home / "zvol/tank/images");
  fs::create_symlink(home / "zvol-a", home / "zvol/tank/guests" / me / "disk-0");
  fs::create_symlink(home / "zvol-a", home / "zvol/tank/images/base");
  const disk_places pool{{.stores = {"tank"}, .zvols = home / "zvol"}};
  CHECK_THROWS_WITH(pool.find(home / "zvol/tank/images/base", me, "d"), Contains("is an image"));
  CHECK_THROWS_WITH(pool.find(home / "zvol/tank/guests" / me / "disk-0", she, "d"), Contains("another guest's"));
  CHECK_THROWS_WITH(pool.find(home / "zvol/tank/guests" / me / "disk-0-part1", me, "d"), Contains("no volume"));
  CHECK_THROWS_WITH(pool.find(home / "zvol/tank/guests" / me / "disk-0", me, "d"),
                    Contains("does not lie in the store"));
  CHECK_THROWS(pool.find(home / "zvol/other/guests" / me / "disk-0", me, "d"));
}

TEST_CASE_METHOD(places_lab, "media and stores that overlap are refused at the start, also behind a symbolic link") {
  fs::create_symlink(store, home / "link");
  for (const auto& folder : {store, store / "images", home, home / "link", fs::path{"/"}})
    CHECK_THROWS_WITH((disk_places{{.stores = {store}, .media = media.string() + ":" + folder.string()}}),
                      Catch::StartsWith("media must not lie in a store, or a store in media: "));
}

TEST_CASE("names that are neither folder nor pool are refused at the start") {
  for (const auto* name : {"", "/", ".", "..", "./store", "-tank", "tank/../x", "tank\n", "images/x"})
    CHECK_THROWS_WITH((disk_places{{.stores = {name}}}), Catch::StartsWith("a store must be"));
  CHECK_THROWS_WITH((disk_places{{.stores = {"tank"}, .media = "iso"}}), Contains("absolute paths"));
}

TEST_CASE_METHOD(places_lab, "a store in a folder of media that nobody named is one all the same") {
  const disk_places unnamed{{.stores = {"/none"}, .media = home}};
  CHECK_FALSE(unnamed.find(disk_of("guests/" + me + "/disk-0", own), me, "d").read_only);
  CHECK_THROWS_WITH(unnamed.find(put_volume("guests/" + she + "/disk-0"), me, "d"), Contains("another guest's"));
  CHECK_THROWS_WITH(unnamed.find(put_volume("images/base"), me, "d"), Contains("is an image"));
  CHECK_THROWS_WITH(unnamed.find_media(put_volume("images/base"), "k"),
                    Contains("must be a file in a folder of --media"));
}
