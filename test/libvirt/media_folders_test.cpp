#include "rpc/agents/libvirt/media_folders.hpp"
#include "test/libvirt/guest_parts.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using agents::media_folders;

namespace {

rpc::guest with_disk(const std::string& source) {
  rpc::guest g;
  g.disks = test::disks("[{}]");
  g.disks[0].source = source;
  return g;
}

} // namespace

TEST_CASE("disks in the folders of media are taken, and no others") {
  const media_folders media{"/dev/zvol:/var/lib/images/"};
  for (const auto* good : {"/dev/zvol/tank/guests/a/disk-0", "/var/lib/images/a.qcow2", "/var/lib//images/./b/c"})
    CHECK_NOTHROW(media.expect(with_disk(good)));
  for (const auto* bad :
       {"/etc/shadow", "/dev/sda", "/dev/zvol", "/dev/zvol/", "/dev/zvolume", "/var/lib/images/../../../etc/shadow",
        "/var/lib/images/x/../y", "var/lib/images/a", "", "..", "/", "nbd://host/export"}) {
    INFO(bad);
    CHECK_THROWS_WITH(media.expect(with_disk(bad)), "disks[0].source: must be a path in /dev/zvol:/var/lib/images/");
  }
}

TEST_CASE("kernel and initrd are looked at as disks are") {
  const media_folders media{"/boot/guests"};
  rpc::guest g;
  g.metadata = {{"boot.kernel", "/boot/guests/k"}, {"boot.initrd", "/boot/guests/i"}, {"boot.cmdline", "/etc/shadow"}};
  CHECK_NOTHROW(media.expect(g));
  g.metadata["boot.initrd"] = "/etc/shadow";
  CHECK_THROWS_WITH(media.expect(g), "metadata.boot.initrd: must be a path in /boot/guests");
  g.metadata["boot.kernel"] = "/etc/shadow";
  CHECK_THROWS_WITH(media.expect(g), "metadata.boot.kernel: must be a path in /boot/guests");
}

TEST_CASE("the root folder allows everything, and no folder nothing") {
  CHECK_NOTHROW(media_folders{"/"}.expect(with_disk("/etc/shadow")));
  CHECK_THROWS(media_folders{""}.expect(with_disk("/a")));
  CHECK_THROWS_AS(media_folders{"/a:images"}, std::invalid_argument);
}
