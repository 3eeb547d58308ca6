#include "rpc/agents/container/pull_progress.hpp"

namespace mistify::agents::container {

namespace {

constexpr std::size_t most_layers = 200;
constexpr std::int64_t most_bytes = std::int64_t{1} << 50; // so that no sum overflows

std::int64_t number_in(const rpc::json::node& of, std::string_view name) {
  const auto* found = of.find(name);
  if (!found || found->type() != rpc::json::node::kind::number)
    return 0;
  try {
    const auto number = found->as_int(name);
    return number < 0 || number > most_bytes ? 0 : number;
  } catch (const std::exception&) {
    return 0;
  }
}

} // namespace

void pull_progress::take(const rpc::json::node& line) {
  const auto* id = line.find("id");
  const auto* detail = line.find("progressDetail");
  if (!id || id->type() != rpc::json::node::kind::string || !detail)
    return;
  const layer seen{number_in(*detail, "current"), number_in(*detail, "total")};
  if (seen.total == 0)
    return;
  const auto name = id->as_string("id");
  if (layers_.size() >= most_layers && !layers_.contains(name))
    return;
  layers_[name] = seen;
  layer all;
  for (const auto& [layer_id, one] : layers_) {
    all.current += one.current;
    all.total += one.total;
  }
  to_.receive(all.current, all.total);
}

} // namespace mistify::agents::container
