#include "rpc/base/distinct_members.hpp"

#include "rpc/base/error.hpp"

#include <set>
#include <string>
#include <string_view>

namespace mistify::rpc::json {

void expect_distinct_members(const node& value) {
  if (value.type() == node::kind::array)
    for (const node& item : value.items(""))
      expect_distinct_members(item);
  if (value.type() != node::kind::object)
    return;
  std::set<std::string_view> names;
  for (const auto& [key, inner] : value.members("")) {
    if (!names.insert(key).second)
      throw failure{errc::invalid_request, std::string{key} + ": is given twice"};
    expect_distinct_members(inner);
  }
}

} // namespace mistify::rpc::json
