#include "actors/runner/direct_calls.hpp"

#include "actors/ids.hpp"
#include "actors/runner/pipeline.hpp"

#include <utility>
#include <variant>

namespace mistify::actors {

using rpc::failure;
using answer_of_call = rpc::outcome<rpc::json::document>;

/// One that is out, or waits.
struct direct_calls::call {
  std::string runner;
  pipeline steps;
  place_ptr place; // the runner's
  open_calls::entry seen;
};

bool direct_calls::start(const std::string& runner, const info_request& what, when_done told) const {
  if (what.background || what.what->stages.size() != 1)
    return false;
  const auto guest = runner == agent_runner ? nullptr : in_.guests.find(runner);
  if (!guest && runner != agent_runner)
    return false;
  auto place = in_.info.of(runner, in_.info_limit())->claim_free();
  if (!place)
    return false;
  const auto& stage = what.what->stages.front();
  const auto made = std::make_shared<call>(call{runner, pipeline{what.what, what.request, 0}, std::move(place),
                                                in_.out.begin(stage.service, stage.method, runner, in_.now())});
  const std::string_view doc = guest ? std::string_view{guest->doc} : std::string_view{};
  in_.find_desk(stage.service)
    ->call({stage.method, made->steps.params(doc), stage.timeout, true, {}, false, what.request_id, runner},
           [this, made, told = std::move(told)](answer_of_call answer) {
             made->seen.reset();
             made->place.reset(); // before `told` is called: its caller may ask again
             told(result_of(*made, std::move(answer)));
           });
  return true;
}

answer_of_call direct_calls::result_of(call& of, answer_of_call answer) const {
  try {
    if (auto* why = std::get_if<failure>(&answer))
      throw failure{std::move(*why)};
    of.steps.accept(std::get<rpc::json::document>(std::move(answer)), of.runner);
    return std::move(of.steps).take_result();
  } catch (failure& e) {
    caf::anon_send(in_.front, note_atom_v, of.runner, std::string{of.steps.kind().name} + ": " + e.message());
    return e.through(of.steps.label());
  } catch (const std::exception& e) {
    return failure{rpc::errc::internal, e.what()};
  }
}

} // namespace mistify::actors
