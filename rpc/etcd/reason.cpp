#include "rpc/etcd/reason.hpp"

#include "rpc/base/text.hpp"

#include <algorithm>
#include <cstddef>

namespace mistify::rpc::etcd {

std::string cut_reason(std::string_view text) {
  constexpr std::size_t longest = 200;
  std::string out{text.substr(0, longest)};
  std::ranges::replace_if(out, rpc::text::is_control, ' ');
  return std::string{rpc::text::trim(out)};
}

} // namespace mistify::rpc::etcd
