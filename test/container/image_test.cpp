#include "fixture.hpp"
#include "rpc/agents/container/image_archive.hpp"
#include "rpc/agents/container/image_names.hpp"
#include "rpc/fetch/sha256.hpp"

#include <fstream>

using namespace mistify;
using namespace mistify::agents::container;
using Catch::Contains;
using Catch::StartsWith;
using test::container_lab;

namespace {

using files = std::vector<std::pair<std::string, std::string>>;

std::string tar_of(const files& all) {
  std::string out;
  for (const auto& [name, text] : all) {
    out += tar_head(name, text.size()) + text;
    out.resize(padded(out.size()), '\0');
  }
  return out + std::string(1024, '\0');
}

/// A head of any type.
std::string head_of(std::string_view name, std::uint64_t size, char type, std::string_view link = {}) {
  auto head = tar_head(name, size);
  head[156] = type;
  link.copy(head.data() + 157, 100);
  head.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const unsigned char c : head)
    sum += c;
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  head.replace(148, 7, text, 7);
  return head;
}

std::string sum_of(const std::string& text) {
  fetching::sha256 sum;
  sum.add(text);
  return sum.hex();
}

files docker_archive() {
  return {{"manifest.json", R"([{"Config":"c.json","RepoTags":["alpine:latest"],"Layers":["l/layer.tar"]}])"},
          {"repositories", R"({"alpine":{"latest":"l"}})"},
          {"c.json", "{}"},
          {"l/layer.tar", "layer"}};
}

files oci_archive(const std::string& platform = "") {
  const std::string config = R"({"rootfs":{}})", layer = "layer";
  const auto manifest = R"({"config":{"digest":"sha256:)" + sum_of(config) + R"("},"layers":[{"digest":"sha256:)" +
                        sum_of(layer) + R"("}]})";
  return {{"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"},
          {"index.json", R"({"manifests":[{"digest":"sha256:)" + sum_of(manifest) + '"' + platform + "}]}"},
          {"blobs/sha256/" + sum_of(manifest), manifest},
          {"blobs/sha256/" + sum_of(config), config},
          {"blobs/sha256/" + sum_of(layer), layer}};
}

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

/// Answers with the images in a response's text.
std::string params(const std::string& id, const std::string& source, const std::string& more = "") {
  return R"({"id":")" + id + R"(","type":"container","dest":"","source":")" + source + '"' + more + '}';
}

struct image_lab : container_lab {
  std::string file(const files& all) { return "file://" + dir.write("busy.tar", tar_of(all)); }
  std::string refusal(const std::string& method, const std::string& with) {
    try {
      raw(method, with);
    } catch (const std::exception& e) {
      return e.what();
    }
    return {};
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

TEST_CASE("the id of an image is its name without what every engine adds") {
  CHECK(id_of_tag("localhost/bb:latest") == "bb");
  CHECK(id_of_tag("docker.io/library/alpine:3.19") == "alpine:3.19");
  CHECK(id_of_tag("docker.io/me/x:latest") == "me/x");
  CHECK(id_of_tag("quay.io/a/b:1") == "quay.io/a/b:1");
  CHECK(id_of_tag("<none>:<none>").empty());
  CHECK(id_of_file("BusyBox-1.36.tar.gz") == "busybox-1.36");
  CHECK(id_of_file("x.tgz") == "x");
  CHECK(id_of_file(".tar") == ".tar");
  CHECK(split_reference("oci").text() == "docker.io/library/oci:latest");
  CHECK(split_reference("me/x:1").text() == "docker.io/me/x:1");
  CHECK(split_reference("quay.io/a/b").text() == "quay.io/a/b:latest");
  CHECK(split_reference("host:5000/a").text() == "host:5000/a:latest");
  CHECK(local_tag("bb").text() == "localhost/bb:latest");
  CHECK(local_tag("host:5000/bb:2").text() == "localhost/host:5000/bb:2");
  CHECK(references_of("bb") == std::vector<std::string>{"localhost/bb:latest", "docker.io/library/bb:latest"});
  for (const auto* bad : {"A", "a b", "a\n", "-a", "a//b", "a/", "a:", "a:b:c", "a..b", "../a", "a?b", "a:.x"})
    CHECK_THROWS_AS(expect_image_id(bad), std::invalid_argument);
  CHECK_THROWS_WITH(expect_image_id(""), "need an id");
  for (const auto* good : {"0a1b2c3d-0000-4000-8000-000000000001", "a", "a.b_c-d/e:V1.0", "host:5000/a"})
    CHECK_NOTHROW(expect_image_id(good));
}

TEST_CASE_METHOD(image_lab,
                 "an image is loaded from a file under its id, packed or not, and is there the second time") {
  const auto source = file(docker_archive());
  const auto loaded = raw("LoadImage", params("mine", source));
  CHECK(loaded == R"({"images":[{"id":"mine","type":"container","size":2,"status":"complete"}]})");
  CHECK(fake.has_image("localhost/mine:latest"));
  CHECK_FALSE(fake.has_image("alpine:latest"));
  raw("LoadImage", params("mine", source));
  CHECK(fake.count("POST /images/load") == 1);
  CHECK_THAT(refusal("LoadImage", params("mine", source + "x")), StartsWith("conflict"));
  raw("LoadImage", params("", source));
  CHECK(fake.has_image("localhost/busy:latest"));
  restart(); // where images came from is known after it
  raw("LoadImage", params("mine", source));
  CHECK(fake.count("POST /images/load") == 2);
}

TEST_CASE_METHOD(image_lab, "what is no image archive, or has another sum, does not reach the engine") {
  const auto page = "file://" + dir.write("p", "<!DOCTYPE html><html></html>");
  CHECK_THAT(refusal("LoadImage", params("x", page)), Contains("page"));
  const auto text = "file://" + dir.write("t", std::string(5000, 'x'));
  CHECK_THAT(refusal("LoadImage", params("x", text)), Contains("no image archive"));
  const auto other = R"(,"sha256":")" + std::string(64, '0') + '"';
  CHECK_THAT(refusal("LoadImage", params("x", file(docker_archive()), other)), Contains("sha256"));
  CHECK(fake.count("POST /images/load") == 0);
  CHECK(std::filesystem::is_empty(settings.folder / "staging"));
}

TEST_CASE_METHOD(image_lab, "an error that comes in a body of status 200 is an error of the load") {
  fake.set_trouble([](const test::engine_call& c) -> std::optional<test::engine_reply> {
    if (c.path == "/images/load")
      return test::engine_reply{200, "{\"errorDetail\":{\"message\":\"no space left on device\"}}\n"};
    return std::nullopt;
  });
  CHECK(refusal("LoadImage", params("x", file(docker_archive()))) == "no space left on device");
  CHECK(refusal("LoadImage", params("", "gone")) == "manifest unknown");
}

TEST_CASE_METHOD(image_lab, "a source that is no URL is a reference that the engine pulls") {
  raw("LoadImage", params("", "alpine:3.19"));
  CHECK(fake.has_image("docker.io/library/alpine:3.19"));
  raw("LoadImage", params("own", "alpine:3.19"));
  CHECK(fake.has_image("localhost/own:latest"));
  raw("LoadImage", params("busybox", ""));
  CHECK(fake.has_image("docker.io/library/busybox:latest"));
  for (const auto* bad : {"Al pine", "a;b", "ftp:/x", "a&b=c"})
    CHECK_THAT(refusal("LoadImage", params("x", bad)), Contains("no reference"));
  CHECK_THAT(refusal("LoadImage", params("", "")), Contains("need source"));
}

TEST_CASE_METHOD(image_lab, "a sum of what the engine pulls is refused, because nobody could check it") {
  const auto sum = R"(,"sha256":")" + std::string(64, '0') + '"';
  for (const auto* source : {"alpine:3.19", ""})
    CHECK(refusal("LoadImage", params("busybox", source, sum)) == "sha256: only the archive behind a URL has one");
  CHECK(fake.count("POST /images/create") == 0);
}

TEST_CASE_METHOD(image_lab, "images are listed, found and deleted by their ids, and not while a container needs them") {
  fake.put_image("docker.io/library/alpine:3.19", "sha256:9");
  fake.put_image("<none>:<none>", "sha256:8");
  CHECK(raw("ListImages", params("", "")) ==
        R"({"images":[{"id":"alpine:3.19","type":"container","size":2,"status":"complete"},)"
        R"({"id":"bb","type":"container","size":2,"status":"complete"}]})");
  CHECK_THAT(raw("GetImage", params("bb", "")), Contains(R"("id":"bb")"));
  CHECK(refusal("GetImage", params("gone", "")) == "no such image");
  CHECK(refusal("DeleteImage", params("gone", "")) == "no such image");
  CHECK(refusal("GetImage", params("", "")) == "need an id");
  act("CreateContainer");
  CHECK_THAT(refusal("DeleteImage", params("bb", "")), StartsWith("in use"));
  act("DeleteContainer");
  raw("DeleteImage", params("bb", ""));
  CHECK_FALSE(fake.has_image("localhost/bb:latest"));
}
