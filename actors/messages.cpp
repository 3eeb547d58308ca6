#include "actors/messages.hpp"

namespace mistify::actors {

using rpc::errc;
using rpc::failure;

std::chrono::steady_clock::duration longest_wait_for(const action& what) {
  using namespace std::chrono_literals;
  constexpr auto margin = 1s;
  constexpr auto longest = 24h; // for a stage without a time-out in the config
  std::chrono::steady_clock::duration sum = margin;
  for (const auto& stage : what.stages) {
    if (stage.timeout == 0ms)
      return longest;
    sum += stage.timeout;
  }
  return sum;
}

caf::error to_error(const failure& e) {
  return {static_cast<std::uint8_t>(e.code()), caf::atom("mistify"), caf::make_message(e.message(), e.stack())};
}

failure to_failure(const caf::error& e) {
  const auto& context = e.context();
  if (e.category() == caf::atom("mistify") && context.match_elements<std::string, std::vector<std::string>>())
    return {static_cast<errc>(e.code()), context.get_as<std::string>(0), context.get_as<std::vector<std::string>>(1)};
  if (e == caf::sec::request_timeout)
    return {errc::deadline_exceeded, "the agent did not answer in time"};
  if (e.category() == caf::atom("system") || e.category() == caf::atom("exit"))
    return {errc::internal, "the actor that had the request ended"};
  return {errc::internal, "unexpected error of an actor"};
}

} // namespace mistify::actors
