#include "rpc/agents/libvirt/domain_parts.hpp"
#include "rpc/agents/libvirt/domain_reader.hpp"
#include "test/libvirt/fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using Catch::Contains;

namespace {

struct seed_fixture : libvirt_fixture {
  std::filesystem::path seed = store / "seeds" / (id + std::string{".iso"});

  void put_seed() const {
    std::filesystem::create_directories(seed.parent_path());
    dir.write(seed.lexically_relative(home), "cidata");
  }
  rpc::guest with_disk() const {
    auto g = small();
    g.disks = {own_disk(0)};
    return g;
  }
  rpc::guest with_cloud_init() const {
    auto g = with_disk();
    g.extra["cloud_init"] = R"({"hostname":"web"})";
    return g;
  }
};

} // namespace

TEST_CASE_METHOD(seed_fixture, "the seed of a guest is a read-only disk of its machine, and none of the guest's") {
  put_seed();
  const auto made = guest("CreateGuest", with_cloud_init());
  CHECK(made.disks.size() == 1);
  CHECK_THAT(xml(), Contains("<source file='" + seed.string() + "'") && Contains("<readonly/>") &&
                      Contains("<serial>mistify-seed</serial>") && Contains("dev='vdz'"));
  CHECK(agents::read_domain(xml()).disks.size() == 1);
  CHECK_NOTHROW(guest("CreateGuest", with_cloud_init())); // the same machine
  CHECK(guest("Run", made).state == "running");
  CHECK_THAT(xml(), Contains("<serial>mistify-seed</serial>"));
}

TEST_CASE_METHOD(seed_fixture,
                 "a guest without cloud_init has no seed, not even one that is left of an earlier guest") {
  guest("CreateGuest", with_disk());
  CHECK_THAT(xml(), !Contains("mistify-seed"));
  put_seed();
  CHECK(guest("Run", with_disk()).state == "running");
  CHECK_THAT(xml(), !Contains("mistify-seed"));
}

TEST_CASE_METHOD(seed_fixture, "a guest with cloud_init gets no machine while it has no seed") {
  CHECK_THROWS_WITH(raw("CreateGuest", with_cloud_init()), Contains("cloud_init: no seed") && Contains("CreateSeed"));
  put_seed();
  CHECK_NOTHROW(guest("CreateGuest", with_cloud_init()));
}

TEST_CASE_METHOD(seed_fixture, "a machine that was made with a seed does not boot without it") {
  put_seed();
  auto g = guest("CreateGuest", with_cloud_init());
  std::filesystem::remove(seed);
  CHECK_THROWS_WITH(raw("Run", g), Contains("the guest's seed is gone"));
  put_seed();
  g = guest("Poweroff", guest("Run", g));
  g.extra.erase("cloud_init"); // of somebody who edits the database
  CHECK(guest("Run", g).state == "running");
  CHECK_THAT(xml(), !Contains("mistify-seed"));
}

TEST_CASE_METHOD(seed_fixture, "a guest whose cloud_init had no meaning yet when it was made boots") {
  guest("CreateGuest", with_disk());
  CHECK(guest("Run", with_cloud_init()).state == "running");
  CHECK_THAT(xml(), !Contains("mistify-seed"));
}

TEST_CASE("a seed finds a device also where the machine has a whole alphabet of disks") {
  pugi::xml_document document;
  auto devices = document.append_child("devices");
  const auto add = [&](const std::string& name) {
    devices.append_child("disk").append_child("target").append_attribute("dev") = name.c_str();
  };
  for (char last = 'a'; last <= 'z'; ++last)
    add(std::string{"vd"} + last);
  add("vdaa");
  agents::placed_disk seed;
  seed.chain.push_back({"/store/seeds/x.iso", images::disk_format::raw, false});
  seed.read_only = true;
  agents::append_seed(devices, seed);
  CHECK_THAT(agents::text_of(document), Contains(R"(dev="vdab")"));
}

TEST_CASE_METHOD(seed_fixture, "a link in the place of a seed is refused, and so is a seed as a guest's disk") {
  std::filesystem::create_directories(seed.parent_path());
  dir.write("secret", "secret");
  std::filesystem::create_symlink(home / "secret", seed);
  CHECK_THROWS_WITH(raw("CreateGuest", with_cloud_init()), Contains("cloud_init"));
  std::filesystem::remove(seed);
  put_seed();
  auto g = small("0a1b2c3d-0000-4000-8000-000000000002");
  g.disks = {disk_of("seeds/" + std::string{id}, seed.string())};
  CHECK_THROWS_WITH(raw("CreateGuest", g), Contains("disks[0].source"));
}
