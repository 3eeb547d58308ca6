#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>
#include <string>

using Catch::Contains;

namespace {

std::string text_of(const std::string& file) {
  const std::ifstream in{PACKAGING "/" + file};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace

TEST_CASE("the packaged service reads files of clients from a folder of its own") {
  const auto unit = text_of("systemd/mistify-container.service");
  CHECK_THAT(unit, Contains("--files /var/lib/mistify-container-images\n"));
  CHECK_THAT(unit, Contains("\nStateDirectory=mistify-container mistify-container-images\n"));
  CHECK_THAT(unit, !Contains("mistify-disks"));
}

TEST_CASE("an installed package has a running agent read its config") {
  CHECK_THAT(text_of("debian/mistify-container.install"), Contains("etc/mistify-agent/containers.json"));
  CHECK_THAT(text_of("debian/mistify-container.postinst"),
             Contains("#DEBHELPER#") && Contains("systemctl --no-block try-reload-or-restart mistify-agent"));
}
