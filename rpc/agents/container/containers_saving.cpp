#include "rpc/agents/container/containers.hpp"
#include "rpc/agents/container/image_names.hpp"

#include <stdexcept>

namespace mistify::agents::container {

namespace {

using namespace std::chrono_literals;

std::string text_member(const rpc::json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  return found && found->type() == rpc::json::node::kind::string ? found->as_string(name) : std::string{};
}

/// Commits the container without its labels, with which each container that is made of the image would seem to be the
/// guest's. Podman 4 splits `changes` at spaces and takes instructions with `=`, which Docker does not; the wrong one is refused
/// before anything is made.
void commit(engine& on, const std::string& path) {
  const auto guest = guest_label + std::string{"="}, shape = shape_label + std::string{"="};
  try {
    on.post(path + "&changes=" + escaped("LABEL " + guest) + "&changes=" + escaped("LABEL " + shape), "{}", 10min);
  } catch (const engine_error& e) {
    if (e.status() == 0 || std::string_view{e.what()}.find("LABEL") == std::string_view::npos)
      throw;
    on.post(path + "&changes=" + escaped("LABEL=" + guest + " LABEL=" + shape), "{}", 10min);
  }
}

} // namespace

rpc::image_response containers::save(const rpc::json::node& params) {
  container_call call;
  decode(params, call);
  const auto& id = call.guest.id;
  expect_guest_id(id);
  const auto* args = params.find("args");
  auto name = text_member(params, "dest");
  if (name.empty() && args)
    name = text_member(*args, "dest");
  if (name.empty())
    throw std::invalid_argument{"need a dest"};
  expect_image_id(name);
  const auto turn = locks_.take(id);
  const auto facts = need(id);
  const auto tag = local_tag(name);
  for (const auto& reference : references_of(name))
    if (engine_.find("/images/" + escaped(reference) + "/json"))
      throw std::runtime_error{"conflict: the image " + name + " exists already"};
  commit(engine_, "/commit?container=" + facts.key() + "&repo=" + escaped(tag.repository) + "&tag=" + escaped(tag.tag));
  const auto image = engine_.get("/images/" + escaped(tag.text()) + "/json");
  return {{image_from(name, image.root())}};
}

} // namespace mistify::agents::container
