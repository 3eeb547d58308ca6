#include "fuzz.hpp"
#include "rpc/model/codec.hpp"

#include <string>

using namespace mistify;
using namespace mistify::fuzz;

namespace {

const rpc::metadata_map some_args{{"key", "value"}};

/// What the agent took from a client, it writes to its database and sends to sub-agents: neither may change it.
template <class Decode>
std::optional<std::string> check_round_trip(Decode decode, std::string_view body) {
  const auto value = unless_refused(rpc::errc::invalid_request, [&] { return decode(body); });
  if (!value)
    return std::nullopt;
  const auto text = rpc::encode(*value);
  demand(rpc::encode(decode(text)) == text, "decode, encode, decode is a fixed point");
  return text;
}

/// Arguments of a stage are added to what came from a client, in place of its own.
void check_with_args(const std::string& request) {
  const auto once = rpc::with_args(request, some_args);
  demand(rpc::with_args(once, some_args) == once, "arguments are added once");
}

void check_patch(std::string_view body) {
  const auto patch = unless_refused(rpc::errc::invalid_request, [&] { return rpc::decode_metadata_patch(body); });
  if (!patch)
    return;
  rpc::metadata_map metadata{{"", "empty"}, {"kept", "value"}};
  rpc::apply(metadata, *patch);
  auto again = metadata;
  rpc::apply(again, *patch);
  demand(again == metadata, "applying a patch twice is applying it once");
  demand(rpc::decode_metadata(rpc::encode(metadata)) == metadata, "metadata survive their encoding");
}

} // namespace

// Every decoder that the body of a client's request reaches; the input is the body.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto body = text_of(data, size);
  check_round_trip([](std::string_view text) { return rpc::decode_guest(text); }, body);
  check_patch(body);
  if (const auto image = check_round_trip([](std::string_view text) { return rpc::decode_image_request(text); }, body))
    check_with_args(*image);
  if (const auto wish =
        check_round_trip([](std::string_view text) { return rpc::decode_snapshot_request(text); }, body))
    check_with_args(*wish);
  return 0;
}
