#include "rpc/agents/storage/ids.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace mistify::agents::storage;
using Catch::Contains;

TEST_CASE("names of images, guests, disks and volumes are read") {
  CHECK(dataset_id::parse("images/debian-12.qcow2").is_image());
  CHECK(dataset_id::parse("guests/0a1b").is_guest());
  const auto disk = dataset_id::parse("guests/0a1b/disk-0");
  CHECK_FALSE(disk.is_guest());
  CHECK(disk.guest() == "0a1b");
  CHECK(disk.last_part() == "disk-0");
  CHECK(disk == dataset_id::of_disk("0a1b", 0));
  CHECK(dataset_id::parse("data/2026/x_1:y").guest() == std::nullopt);
}

TEST_CASE("a name that leaves the store, is an option or says more than a name is refused") {
  for (const auto* bad : {"..",
                          "images/..",
                          "images/../x",
                          "/etc/passwd",
                          "images//x",
                          "images/",
                          "a/",
                          "-rf",
                          "guests/-x",
                          "images/.x",
                          "a b",
                          "a\nb",
                          "a,b",
                          "a=b",
                          "a%b",
                          "a@b",
                          "guests/x/y",
                          "guests/x/disk-",
                          "guests/x/disk-1x",
                          "guests/x/disk-12345",
                          "images/x/y",
                          "images",
                          "guests",
                          "seeds",
                          "seeds/x",
                          "a/b/c/d/e/f/g",
                          "ü",
                          "json:{}",
                          "x;y",
                          "$(x)",
                          "~"})
    CHECK_THROWS_WITH(dataset_id::parse(bad), Contains("invalid id"));
  CHECK_THROWS_WITH(dataset_id::parse(std::string(101, 'a')), Contains("invalid id"));
  CHECK_THROWS_WITH(dataset_id::parse(std::string_view{"a\0b", 3}), Contains("invalid id"));
  CHECK_THROWS_WITH(dataset_id::parse(""), "need an id");
  CHECK_THROWS_WITH(dataset_id::of_image(""), "need an id");
  CHECK_THROWS_WITH(dataset_id::of_guest("x/disk-1"), Contains("invalid id"));
  CHECK_THROWS_WITH(dataset_id::of_guest("../images/x"), Contains("invalid id"));
}

TEST_CASE("a snapshot is a dataset and a name") {
  const auto id = snapshot_id::parse("guests/0a1b/disk-0@before:upgrade.1");
  CHECK(id.of == dataset_id::of_disk("0a1b", 0));
  CHECK(id.name == "before:upgrade.1");
  CHECK(id.text() == "guests/0a1b/disk-0@before:upgrade.1");
  CHECK_THROWS_WITH(snapshot_id::parse(""), "need an id");
  CHECK_THROWS_WITH(snapshot_id::parse("guests/0a1b"), "not a snapshot");
  for (const auto* bad :
       {"guests/x@", "guests/x@a/b", "guests/x@a@b", "guests/x@..", "guests/x@-r", "guests/../x@a", "@a"})
    CHECK_THROWS_AS(snapshot_id::parse(bad), std::invalid_argument);
  CHECK_THROWS_WITH(expect_snapshot_name(""), "need a dest");
  CHECK_THROWS_WITH(expect_snapshot_name("a/b"), "invalid snapshot dest");
}
