#include "rpc/model/codec.hpp"
#include "rpc/model/codec_names.hpp"
#include "rpc/model/codec_tables.hpp"

namespace mistify::rpc {

namespace wire {

guest decode_guest(const json::node& node, std::string_view path) {
  return decode<guest>(node, path);
}

} // namespace wire

guest decode_guest(std::string_view text) {
  return wire::decode<guest>(text);
}

guest decode_guest(const json::node& node) {
  return wire::decode<guest>(node);
}

std::string encode(const guest& value) {
  return wire::encode(value);
}

namespace {

template <class T>
std::optional<inexact_name> inexact_in(const std::vector<T>& devices, std::string_view path,
                                       std::initializer_list<std::string_view> reserved = {}) {
  for (std::size_t i = 0; i < devices.size(); ++i)
    if (!devices[i].extra.empty())
      if (auto found = wire::inexact_member(devices[i], wire::join(path, i), reserved))
        return found;
  return std::nullopt;
}

} // namespace

std::optional<inexact_name> find_inexact_name(const guest& in) {
  auto found = wire::inexact_member(
    in, {}, {"start", "apply", "name", "labels", "power", "cloud_init", "on_io_error", "next_disk"});
  if (!found)
    found = inexact_in(in.nics, "nics");
  return found ? found : inexact_in(in.disks, "disks", {"format"});
}

void expect_exact_names(const guest& from_client) {
  if (const auto found = find_inexact_name(from_client))
    wire::refuse(*found);
}

} // namespace mistify::rpc
