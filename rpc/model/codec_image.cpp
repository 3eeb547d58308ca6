#include "rpc/model/codec.hpp"
#include "rpc/model/codec_names.hpp"
#include "rpc/model/codec_tables.hpp"

namespace mistify::rpc {

image decode_image(const json::node& node) {
  return wire::decode<image>(node);
}

std::string encode(const image& value) {
  return wire::encode(value);
}

image_request decode_image_request(std::string_view text) {
  return decode_image_request(json::document::parse(text).root());
}

image_request decode_image_request(const json::node& node) {
  auto request = wire::decode<image_request>(node);
  expect_exact_names(request);
  return request;
}

std::string encode(const image_request& value) {
  return wire::encode(value);
}

std::optional<inexact_name> find_inexact_name(const image_request& in) {
  return wire::inexact_member(in, {}, {"args", "sha256", "name", "opts"});
}

void expect_exact_names(const image_request& from_client) {
  if (const auto found = find_inexact_name(from_client))
    wire::refuse(*found);
}

snapshot decode_snapshot(const json::node& node) {
  return wire::decode<snapshot>(node);
}

std::string encode(const snapshot& value) {
  return wire::encode(value);
}

snapshot_request decode_snapshot_request(std::string_view text) {
  return decode_snapshot_request(json::document::parse(text).root());
}

snapshot_request decode_snapshot_request(const json::node& node) {
  wire::expect_exact_members<snapshot_request>(node);
  return wire::decode<snapshot_request>(node);
}

std::string encode(const snapshot_request& value) {
  return wire::encode(value);
}

} // namespace mistify::rpc
