#pragma once

#include "rpc/base/json.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace mistify::rpc {

class asker;

/// From the body of a JSON-RPC request to the body of its answer. Immutable once calls arrive: any thread may call.
class dispatcher {
public:
  using reply = std::function<std::string(const asker&)>;
  using prepare = std::function<reply(const json::node& params)>;

  void add(std::string method, prepare f) { methods_.insert_or_assign(std::move(method), std::move(f)); }

  /// Faults of the handler come back as an answer with `error`. Throws `failure{invalid_request}` for what is no call
  /// of a known method.
  std::string answer(std::string_view body, const asker& who) const;

private:
  std::map<std::string, prepare, std::less<>> methods_;
};

} // namespace mistify::rpc
