#include "rpc/fetch/source_file.hpp"
#include "rpc/fetch/url_reader.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

using namespace mistify::fetching;
using namespace mistify::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// A folder that images may come from, and what lies beside it.
struct folder_lab {
  temp_dir dir;
  fs::path images = dir.path() / "images";

  folder_lab() {
    for (const auto* folder : {"images", "images/deep", "images-of-others"})
      fs::create_directory(dir.path() / folder);
    for (const auto* file : {"images/one", "images/deep/two", "images-of-others/three", "secret"})
      dir.write(file, std::string{file} + " is here");
  }

  static std::string content_of(const mistify::rpc::unique_fd& file) {
    std::ifstream in{link_to(file), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  std::string read(const fs::path& file) { return content_of(open_source(file, {images.string()})); }
  fs::path link(const std::string& name, const fs::path& to) {
    fs::create_symlink(to, dir.path() / name);
    return dir.path() / name;
  }
};

const auto is_refused = Contains("not in a folder that images may come from");

} // namespace

TEST_CASE_METHOD(folder_lab, "files of the folders are read, those deeper in too") {
  CHECK(read(images / "one") == "images/one is here");
  CHECK(read(images / "deep" / "two") == "images/deep/two is here");
  const std::vector<std::string> both{images.string() + "/", (dir.path() / "images-of-others").string()};
  CHECK(content_of(open_source(dir.path() / "images-of-others" / "three", both)) == "images-of-others/three is here");
  CHECK(content_of(open_source(images / "one", both)) == "images/one is here");
}

TEST_CASE_METHOD(folder_lab, "without folders any file is read") {
  CHECK(content_of(open_source(dir.path() / "secret", {})) == "secret is here");
}

TEST_CASE_METHOD(folder_lab, "files elsewhere are refused in the same words, whether they are there or not") {
  for (const auto& path :
       {dir.path() / "secret", dir.path() / "none", images, dir.path() / "images-of-others" / "three",
        images / ".." / "secret", images / "deep" / ".." / "one", fs::path{"/"}, fs::path{"one"}, fs::path{""}}) {
    INFO(path);
    CHECK_THROWS_WITH(read(path), is_refused);
    CHECK_THROWS_AS(read(path), source_refused);
  }
  CHECK_THROWS_WITH(read(images / "none"), Contains("no such file"));
}

TEST_CASE_METHOD(folder_lab, "a link is as good as where it leads to") {
  CHECK(read(link("images/near", "deep/two")) == "images/deep/two is here");
  CHECK_THROWS_WITH(read(link("images/out", dir.path() / "secret")), is_refused);
  CHECK_THROWS_WITH(read(link("images/up", "../secret")), is_refused);
  CHECK_THROWS_WITH(read(link("images/folder", dir.path()) / "secret"), is_refused);
  CHECK_THROWS_WITH(read(link("in", images / "one")), is_refused);
}

TEST_CASE_METHOD(folder_lab, "a folder may itself be named by a link") {
  const auto named = link("named", images);
  const std::vector<std::string> folders{named.string()};
  CHECK(content_of(open_source(named / "one", folders)) == "images/one is here");
  CHECK(content_of(open_source(images / "one", folders)) == "images/one is here");
  CHECK_THROWS_WITH(open_source(dir.path() / "secret", folders), is_refused);
}

TEST_CASE_METHOD(folder_lab, "in a folder that is not there nothing is") {
  CHECK_THROWS_WITH(open_source("/secret", {(dir.path() / "none").string()}), is_refused);
  CHECK_THROWS_WITH(open_source(dir.path() / "none" / "one", {(dir.path() / "none").string()}),
                    Contains("no such file"));
}

TEST_CASE_METHOD(folder_lab, "pipes and folders are no files, and nobody waits for them") {
  REQUIRE(::mkfifo((images / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(read(images / "pipe"), Contains("not a file"));
  CHECK_THROWS_WITH(read(images / "deep"), Contains("not a file"));
}

TEST_CASE_METHOD(folder_lab, "what the kernel makes up is no image, by no name and in no folder") {
  const std::string name = "/dev/shm/mistify-test-" + std::to_string(::getpid());
  std::ofstream{name} << "in memory";
  REQUIRE(fs::is_regular_file(name));
  for (const fs::path file : {"/proc/self/environ", "/proc/1/status", "/proc/version", name.c_str()}) {
    INFO(file);
    CHECK_THROWS_WITH(open_source(file, {}), is_refused);
    CHECK_THROWS_WITH(open_source(file, {"/proc", "/dev"}), is_refused);
  }
  CHECK_THROWS_WITH(open_source(link("images/environ", "/proc/self/environ"), {}), is_refused);
  CHECK_THROWS_WITH(open_source(link("kernel", "/proc/sys/kernel") / "ostype", {}), is_refused);
  CHECK(content_of(open_source(fs::path{"/proc/self/root"} / (images / "one").relative_path(), {})) ==
        "images/one is here");
  fs::remove(name);
}

TEST_CASE_METHOD(folder_lab, "what was opened is what is read, whatever has its name by then") {
  const auto opened = open_source(images / "one", {images.string()});
  fs::remove(images / "one");
  fs::create_symlink(dir.path() / "secret", images / "one");
  CHECK(content_of(opened) == "images/one is here");
}
