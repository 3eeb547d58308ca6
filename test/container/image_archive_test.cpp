#include "image_files.hpp"
#include "rpc/agents/container/image_archive.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace mistify;
using namespace mistify::agents::container;
using namespace mistify::test;
using Catch::Contains;

namespace {

struct archive_lab {
  test::temp_dir dir;

  /// What the engine would get.
  std::string load(const std::string& bytes, std::size_t piece = 700) {
    const auto file = dir.write("a.tar", bytes);
    image_archive archive{file, "localhost/x:latest"};
    std::string out, part(piece, '\0');
    while (const auto got = archive.read(part.data(), part.size()))
      out.append(part, 0, got);
    CHECK(out.size() == archive.size());
    return out;
  }
  std::string refusal(const std::string& bytes) {
    try {
      load(bytes);
    } catch (const std::exception& e) {
      return e.what();
    }
    return {};
  }
  /// Its files by name.
  std::map<std::string, std::string> entries(const std::string& bytes) {
    const tar_index index{dir.write("out.tar", bytes)};
    std::map<std::string, std::string> found;
    for (const auto& e : index.entries())
      found[e.name] = index.read(e, 100'000);
    return found;
  }
};

} // namespace

TEST_CASE_METHOD(archive_lab, "a docker-archive gets the tag of its id, and loses the names that it brought") {
  const auto out = entries(load(tar_of(docker_archive())));
  CHECK(out.at("manifest.json") == R"([{"Config":"0.part","RepoTags":["localhost/x:latest"],"Layers":["1.part"]}])");
  CHECK(out.at("0.part") == "{}");
  CHECK(out.at("1.part") == "layer");
  CHECK(out.size() == 3);
}

TEST_CASE_METHOD(archive_lab, "no head of an archive reaches the engine, whatever it says") {
  const std::string evil = R"([{"Config":"c.json","RepoTags":["alpine:latest"],"Layers":["l/layer.tar"]}])";
  const auto body = [](std::string text) {
    text.resize(padded(text.size()), '\0');
    return text;
  };
  const auto pax = [&](const std::string& record) {
    const auto text = std::to_string(record.size() + 4) + ' ' + record + '\n';
    return head_of("pax", text.size(), 'x') + body(text);
  };
  auto tar = tar_of(docker_archive());
  tar.resize(tar.size() - 1024);
  for (const auto* name : {"manifest.json/", "./manifest.json/", "x/./manifest.json", "manifest.json//"})
    tar += head_of(name, evil.size(), '0') + body(evil);
  tar += head_of("repositories/", 0, '5') + head_of("manifest.json", 0, '2', "evil");
  tar += head_of("manifest.json", 0, '1', "evil") + head_of("manifest.json", 0, 'S');
  tar += pax("size=" + std::to_string(evil.size())) + head_of("evil", 0, '0') + body(evil);
  tar += pax("GNU.sparse.name=manifest.json") + head_of("evil2", evil.size(), '0') + body(evil);
  const auto sent = load(tar + std::string(1024, '\0'));
  CHECK(sent.find("alpine") == sent.npos);
  CHECK(sent.find("GNU.sparse") == sent.npos);
  CHECK(entries(sent).size() == 3);
}

TEST_CASE_METHOD(archive_lab, "a layer that links to another is that one, and is sent once") {
  const std::string manifest = R"([{"Config":"c.json","Layers":["a/layer.tar","b/layer.tar","h.tar"]}])";
  auto tar = tar_of({{"manifest.json", manifest}, {"c.json", "{}"}, {"a/layer.tar", "layer"}});
  tar.resize(tar.size() - 1024);
  const auto links = [&](const std::string& to) {
    return tar + head_of("b/layer.tar", 0, '2', to) + head_of("h.tar", 0, '1', "a/layer.tar");
  };
  const auto out = entries(load(links("../a/layer.tar")));
  CHECK_THAT(out.at("manifest.json"), Contains(R"("Layers":["1.part","1.part","1.part"])"));
  CHECK(out.size() == 3);
  for (const auto* bad : {"../../etc/shadow", "/a/layer.tar", "layer.tar", "../h.tar"})
    CHECK_THAT(refusal(links(bad)), Contains("lacks a part"));
}

TEST_CASE_METHOD(archive_lab, "sizes and names have their bounds") {
  CHECK(static_cast<unsigned char>(tar_head("x", 1ULL << 33)[124]) == 0x80);
  CHECK(tar_head("x", (1ULL << 33) - 1).substr(124, 11) == "77777777777");
  CHECK_THAT(refusal(tar_head("x", 1ULL << 33)), Contains("cut off")); // and not an empty file
  const auto named = [](std::size_t size) {
    std::string name(size, 'n');
    name.resize(padded(size), '\0');
    return head_of("L", size, 'L') + name + head_of("x", 0, '0');
  };
  CHECK_THAT(refusal(named(4096)), Contains("neither"));
  CHECK_THAT(refusal(named(4097)), Contains("a name is too long"));
  std::string many;
  for (int i = 0; i <= 4096; ++i)
    many += named(4096);
  CHECK_THAT(refusal(many), Contains("names are too long"));
}

TEST_CASE_METHOD(archive_lab, "an OCI archive becomes a docker-archive of the same blobs") {
  const auto out = entries(load(tar_of(oci_archive())));
  CHECK_FALSE(out.contains("index.json"));
  CHECK_FALSE(out.contains("oci-layout"));
  CHECK(out.at("0.part") == R"({"rootfs":{}})");
  CHECK(out.at("1.part") == "layer");
}

TEST_CASE_METHOD(archive_lab, "an OCI archive of several platforms gives the host's image") {
  auto all = oci_archive();
  auto& index = all[1].second;
  const auto digest = index.substr(index.find("sha256:"), 71);
  const auto entry = [](const std::string& d, const char* arch) {
    return R"({"digest":")" + d + R"(","platform":{"os":"linux","architecture":")" + arch + "\"}}";
  };
  const auto other = "sha256:" + std::string(64, 'a');
  index =
    R"({"manifests":[)" + entry(other, "s390x") + ',' + entry(digest, "amd64") + ',' + entry(other, "unknown") + "]}";
#if defined(__x86_64__)
  CHECK(entries(load(tar_of(all))).at("1.part") == "layer");
#endif
  index = R"({"manifests":[)" + entry(other, "s390x") + ',' + entry(other, "ppc64le") + "]}";
  CHECK_THAT(refusal(tar_of(all)), Contains("0 are for this host"));
}

TEST_CASE_METHOD(archive_lab, "archives that lie are refused, with what is wrong") {
  CHECK_THAT(refusal(tar_of({{"a", "b"}})), Contains("neither"));
  CHECK_THAT(refusal(""), Contains("neither"));
  CHECK_THAT(refusal(std::string(512, 'x')), Contains("no sound tar"));
  auto bytes = tar_of(docker_archive());
  CHECK_THAT(refusal(bytes.substr(0, 700)), Contains("cut off"));
  bytes[10] = 'X';
  CHECK_THAT(refusal(bytes), Contains("a sum is wrong"));
  CHECK_THAT(refusal(tar_of({{"../etc/passwd", "x"}})), Contains("leads out"));
  CHECK_THAT(refusal(tar_of({{"/etc/passwd", "x"}})), Contains("leads out"));

  auto two = docker_archive();
  two[0].second = R"([{"Config":"c.json","Layers":["l/layer.tar"]},{"Config":"c.json","Layers":[]}])";
  CHECK_THAT(refusal(tar_of(two)), Contains("2 images"));
  for (const auto* manifest : {R"([{"Config":"no.json","Layers":["l/layer.tar"]}])", R"([{"Layers":["l/layer.tar"]}])",
                               R"([{"Config":"c.json","Layers":["gone"]}])", R"([{"Config":"c.json","Layers":[]}])",
                               R"([{"Config":"c.json","Layers":[5]}])", R"({})", "[", "[5]"}) {
    two[0].second = manifest;
    CHECK_THAT(refusal(tar_of(two)), Contains("cannot be used"));
  }
  auto oci = oci_archive();
  oci[3].second = R"({"rootfs":[]})"; // another config under the same name
  CHECK_THAT(refusal(tar_of(oci)), Contains("has another sum"));
  oci = oci_archive();
  for (const auto* digest : {"md5:abc", "sha256:../../../etc/passwd", "sha256:"}) {
    oci[1].second = R"({"manifests":[{"digest":")" + std::string{digest} + "\"}]}";
    CHECK_THAT(refusal(tar_of(oci)), Contains("no sha256"));
  }
}

TEST_CASE("an index that points at itself is no image") {
  archive_lab lab;
  auto oci = oci_archive();
  oci[1].second = R"({"manifests":[]})";
  CHECK_THAT(lab.refusal(tar_of(oci)), Contains("0 images"));
}
