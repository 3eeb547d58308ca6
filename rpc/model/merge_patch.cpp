#include "rpc/model/merge_patch.hpp"

#include <vector>

namespace mistify::rpc {

namespace {

using json::node;

using member_filter = std::function<bool(std::string_view)>;

bool is_object(const node* value) {
  return value && value->type() == node::kind::object;
}

/// Nesting is bounded by the parser.
void write_merged(json::writer& out, const node* target, const node& patch, const member_filter& takes) {
  if (!is_object(&patch)) {
    out.raw(patch.text());
    return;
  }
  const auto taken = [&](std::string_view key) { return !takes || takes(key); };
  out.begin_object();
  if (is_object(target))
    for (const auto& [key, value] : target->members("target")) {
      if (target->find(key) != &value) // a repeated one
        continue;
      const auto* change = taken(key) ? patch.find(key) : nullptr;
      if (!change)
        out.key(key).raw(value.text());
      else if (!change->is_null())
        write_merged(out.key(key), &value, *change, nullptr);
    }
  for (const auto& [key, value] : patch.members("patch"))
    if (taken(key) && !value.is_null() && patch.find(key) == &value && !(is_object(target) && target->find(key)))
      write_merged(out.key(key), nullptr, value, nullptr);
  out.end_object();
}

} // namespace

std::string merge_patch(const node& target, const node& patch, const member_filter& takes) {
  json::writer out;
  write_merged(out, &target, patch, takes);
  return std::move(out).str();
}

} // namespace mistify::rpc
