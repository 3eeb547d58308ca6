#include "rpc/agents/libvirt/domain_reader.hpp"
#include "test/libvirt/fixture.hpp"

using namespace mistify;
using namespace mistify::test;
using Catch::Contains;

namespace {

struct seed_fixture : libvirt_fixture {
  std::filesystem::path seed = store / "seeds" / (std::string{id} + ".iso");

  void put_seed() const {
    std::filesystem::create_directories(seed.parent_path());
    dir.write(seed.lexically_relative(home), "cidata");
  }
  rpc::guest with_disk() const {
    auto g = small();
    g.disks = {own_disk(0)};
    return g;
  }
};

} // namespace

TEST_CASE_METHOD(seed_fixture, "the seed of a guest is a read-only disk of its machine, and none of the guest's") {
  put_seed();
  const auto made = guest("CreateGuest", with_disk());
  CHECK(made.disks.size() == 1);
  CHECK_THAT(xml(), Contains("<source file='" + seed.string() + "'") && Contains("<readonly/>") &&
                      Contains("<serial>mistify-seed</serial>") && Contains("dev='vdz'"));
  CHECK(agents::read_domain(xml()).disks.size() == 1);
  CHECK_NOTHROW(guest("CreateGuest", with_disk())); // the same machine
  CHECK(guest("Run", made).state == "running");
  CHECK_THAT(xml(), Contains("<serial>mistify-seed</serial>"));
}

TEST_CASE_METHOD(seed_fixture, "a machine without a seed has none") {
  guest("CreateGuest", with_disk());
  CHECK_THAT(xml(), !Contains("mistify-seed"));
}

TEST_CASE_METHOD(seed_fixture,
                 "a seed that is made later is attached at the next start, and one that has gone is taken off") {
  auto g = guest("Run", guest("CreateGuest", with_disk()));
  g = guest("Poweroff", g);
  put_seed();
  g = guest("Poweroff", guest("Run", g));
  CHECK_THAT(xml(), Contains(seed.string()));
  std::filesystem::remove(seed);
  CHECK(guest("Run", g).state == "running");
  CHECK_THAT(xml(), !Contains("mistify-seed"));
}

TEST_CASE_METHOD(seed_fixture, "a link in the place of a seed is refused, and so is a seed as a guest's disk") {
  std::filesystem::create_directories(seed.parent_path());
  dir.write("secret", "secret");
  std::filesystem::create_symlink(home / "secret", seed);
  CHECK_THROWS_WITH(raw("CreateGuest", with_disk()), Contains("cloud_init"));
  std::filesystem::remove(seed);
  put_seed();
  auto g = small("0a1b2c3d-0000-4000-8000-000000000002");
  g.disks = {disk_of("seeds/" + std::string{id}, seed.string())};
  CHECK_THROWS_WITH(raw("CreateGuest", g), Contains("disks[0].source"));
}
