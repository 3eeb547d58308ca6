#include "rpc/agents/storage/disk_wish.hpp"

#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents::storage {

namespace {

rpc::json::document params_of(const rpc::guest_request& request) {
  if (request.params.empty())
    throw std::invalid_argument{"params: missing"};
  return rpc::json::document::parse(request.params);
}

} // namespace

rpc::disk disk_in(const rpc::guest_request& request) {
  const auto params = params_of(request);
  rpc::json::writer out;
  out.begin_object().key("disks").begin_array().begin_object();
  for (const auto& [key, value] : params.root().members("params"))
    if (key != "apply")
      out.key(key).raw(value.text());
  out.end_object().end_array().end_object();
  return rpc::decode_guest(out.str()).disks.at(0);
}

disk_wish wish_in(const rpc::guest_request& request) {
  const auto params = params_of(request);
  const auto* device = params.root().find("device");
  const auto name = device ? device->as_string("device") : std::string{};
  const auto& disks = request.guest.disks;
  const auto found = std::ranges::find_if(disks, [&](const rpc::disk& d) { return d.device == name; });
  if (name.empty() || found == disks.end())
    throw std::runtime_error{"not found"};
  disk_wish wish;
  wish.place = static_cast<std::size_t>(found - disks.begin());
  if (const auto* size = params.root().find("size"))
    wish.size = size->as_uint("size");
  if (const auto* destroys = params.root().find("delete"))
    wish.destroys = destroys->as_bool("delete");
  return wish;
}

} // namespace mistify::agents::storage
