#include "rpc/model/codec.hpp"
#include "rpc/model/codec_fields.hpp"

namespace mistify::rpc {

void wire::read(const json::node& node, std::string_view path, metadata_map& to) {
  to.clear();
  for (const auto& [key, value] : node.members(path))
    to.insert_or_assign(std::string{key}, value.as_string(join(path, key)));
}

void wire::write(json::writer& out, const metadata_map& value) {
  out.begin_object();
  for (const auto& [key, text] : value)
    out.key(key).value(text);
  out.end_object();
}

metadata_map decode_metadata(std::string_view text) {
  metadata_map result;
  wire::read(json::document::parse(text).root(), "metadata", result);
  return result;
}

std::string encode(const metadata_map& value) {
  return wire::encode(value);
}

metadata_patch decode_metadata_patch(std::string_view text) {
  metadata_patch result;
  for (auto& [key, value] : decode_metadata(text))
    result.emplace(key, value.empty() ? std::nullopt : std::optional{value});
  return result;
}

void apply(metadata_map& to, const metadata_patch& patch) {
  for (const auto& [key, value] : patch)
    if (value)
      to.insert_or_assign(key, *value);
    else
      to.erase(key);
}

} // namespace mistify::rpc
