#pragma once

#include <string>
#include <string_view>

namespace mistify::rpc::etcd {

/// The text of etcd's error, of at most some hundred bytes and without control characters, for people and logs.
std::string cut_reason(std::string_view text);

} // namespace mistify::rpc::etcd
