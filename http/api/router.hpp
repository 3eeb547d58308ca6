#pragma once

#include "http/api/task.hpp"
#include "http/protocol/message.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

struct context;

/// What a route lets a client do; each row of the table says it.
enum class access : std::uint8_t {
  read,   ///< looks, changes nothing
  write,  ///< changes something or queues work
  debug,  ///< shows the insides of the agent; the config says to whom
  report, ///< tells the agent what is so; for sub-agents, the config says where
};

/// One row of the API: data, so that documentation and tests can walk it.
struct route {
  std::string_view method;
  std::string_view pattern; ///< "/guests/{id}": a segment in braces captures
  access allows;
  task<answer> (*handle)(context&, request);
};

/// Finds the row for a path, in time that does not grow with the table. Immutable once built; any thread may ask.
class router {
public:
  /// `table` must outlive the router.
  explicit router(const std::vector<route>& table);
  ~router();

  struct match {
    const route* row = nullptr;        ///< nullptr: no such path, or not with this method
    std::vector<std::string> captures; ///< the segments in braces, in order
    std::string_view allowed;          ///< methods of the path for an Allow header; empty: there is no such path
  };
  match find(std::string_view method, const std::vector<std::string>& segments) const;

private:
  struct node;
  const node* descend(const node& from, const std::vector<std::string>& segments, std::size_t depth,
                      std::vector<std::string>& captures) const;
  std::unique_ptr<node> root_;
};

} // namespace mistify::http
