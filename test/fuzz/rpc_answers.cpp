#include "fuzz.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/messages.hpp"

#include <string>

using namespace mistify;
using namespace mistify::fuzz;
using rpc::json::document;

namespace {

template <class T>
T decode_as(const std::string& text) {
  T value;
  rpc::decode(document::parse(text).root(), value);
  return value;
}

template <class T>
void check_round_trip(const std::string& result) {
  const auto value = unless_refused(rpc::errc::invalid_request, [&] { return decode_as<T>(result); });
  if (!value)
    return;
  const auto text = rpc::encode(*value);
  demand(rpc::encode(decode_as<T>(text)) == text, "decode, encode, decode is a fixed point");
}

void check_stage_result(const rpc::json::node& result) {
  const auto stage = unless_refused(rpc::errc::sub_agent_failed, [&] { return rpc::decode_stage_result(result); });
  if (!stage || !stage->returned)
    return;
  const auto guest = rpc::encode(*stage->returned);
  demand(rpc::encode(rpc::decode_guest(guest)) == guest, "a returned guest survives its encoding");
}

} // namespace

// What a sub-agent answers: the input is the body of its HTTP answer.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto answer = unless_refused(rpc::errc::sub_agent_failed,
                                     [&] { return rpc::result_in(rpc::decode_answer(text_of(data, size), 1)); });
  if (!answer)
    return 0;
  const auto result = answer->root().text();
  demand(document::parse(result).root().text() == result, "a result is compact JSON");
  check_stage_result(answer->root());
  check_round_trip<rpc::guest_response>(result);
  check_round_trip<rpc::guest_metrics_response>(result);
  check_round_trip<rpc::image_response>(result);
  check_round_trip<rpc::snapshot_response>(result);
  check_round_trip<rpc::volume>(result);
  return 0;
}
