// JSON: what each stage of a job reads and writes.

#include "rpc/model/codec.hpp"
#include "test/bench/seed.hpp"

#include <benchmark/benchmark.h>

namespace mistify::bench {

namespace {

const std::string guest_text = rpc::encode(sample_guest(0));

void decode_guest(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(rpc::decode_guest(guest_text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(guest_text.size()));
}
BENCHMARK(decode_guest);

void encode_guest(benchmark::State& state) {
  const auto guest = sample_guest(0);
  for (auto _ : state)
    benchmark::DoNotOptimize(rpc::encode(guest));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(guest_text.size()));
}
BENCHMARK(encode_guest);

void encode_call_of_a_stage(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(rpc::encode_call("Test.Reboot", rpc::encode_guest_request(guest_text, "reboot", {}), 1));
}
BENCHMARK(encode_call_of_a_stage);

/// From the bytes of the answer to the guest that is stored next.
void decode_answer_of_a_stage(benchmark::State& state) {
  const auto body = R"({"result":{"guest":)" + guest_text + R"(},"error":null,"id":1})";
  for (auto _ : state)
    benchmark::DoNotOptimize(rpc::decode_stage_result(rpc::result_in(rpc::decode_answer(body, 1)).root()));
}
BENCHMARK(decode_answer_of_a_stage);

} // namespace

} // namespace mistify::bench
