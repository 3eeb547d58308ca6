#pragma once

#include "rpc/agents/container/tar_index.hpp"
#include "rpc/fetch/sha256.hpp"

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Image archives for tests.
namespace mistify::test {

using agents::container::padded;
using agents::container::tar_head;

using files = std::vector<std::pair<std::string, std::string>>;

inline std::string tar_of(const files& all) {
  std::string out;
  for (const auto& [name, text] : all) {
    out += tar_head(name, text.size()) + text;
    out.resize(padded(out.size()), '\0');
  }
  return out + std::string(1024, '\0');
}

/// A head of any type.
inline std::string head_of(std::string_view name, std::uint64_t size, char type, std::string_view link = {}) {
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

inline std::string sum_of(const std::string& text) {
  fetching::sha256 sum;
  sum.add(text);
  return sum.hex();
}

inline files docker_archive() {
  return {{"manifest.json", R"([{"Config":"c.json","RepoTags":["alpine:latest"],"Layers":["l/layer.tar"]}])"},
          {"repositories", R"({"alpine":{"latest":"l"}})"},
          {"c.json", "{}"},
          {"l/layer.tar", "layer"}};
}

inline files oci_archive(const std::string& platform = "") {
  const std::string config = R"({"rootfs":{}})", layer = "layer";
  const auto manifest = R"({"config":{"digest":"sha256:)" + sum_of(config) + R"("},"layers":[{"digest":"sha256:)" +
                        sum_of(layer) + R"("}]})";
  return {{"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"},
          {"index.json", R"({"manifests":[{"digest":"sha256:)" + sum_of(manifest) + '"' + platform + "}]}"},
          {"blobs/sha256/" + sum_of(manifest), manifest},
          {"blobs/sha256/" + sum_of(config), config},
          {"blobs/sha256/" + sum_of(layer), layer}};
}

} // namespace mistify::test
