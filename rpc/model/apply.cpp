#include "rpc/model/apply.hpp"

#include "rpc/base/error.hpp"

namespace mistify::rpc {

apply_when apply_from(std::string_view text) {
  if (text == "live")
    return apply_when::live;
  if (text == "next-start")
    return apply_when::next_start;
  if (text == "either")
    return apply_when::either;
  throw failure{errc::invalid_request, "apply: must be live, next-start or either"};
}

apply_when apply_in(const json::node& wish) {
  const auto* apply = wish.find("apply");
  if (!apply || apply->is_null())
    return apply_when::either;
  return apply_from(apply->type() == json::node::kind::string ? apply->as_string("apply") : std::string{});
}

} // namespace mistify::rpc
