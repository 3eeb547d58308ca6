#pragma once

#include "http/api/requirement.hpp"
#include "http/api/task.hpp"
#include "http/protocol/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::http {

struct context;

/// One row of the API: data, so that documentation and tests can walk it.
struct route {
  std::string_view method;
  std::string_view pattern; ///< "/guests/{guest}": a segment in braces is captured under that name
  requirement asks;
  task<answer> (*handle)(context&, request&);
  std::string_view query = {}; ///< the query parameters that the row knows, with spaces between them; "*": any
  /// Bytes; more is 413. Only said where the sense of the route is small; `http.max_body` counts as well.
  std::size_t largest_body = SIZE_MAX;
  bool acts = false;           ///< changes something although it is a GET
  bool has_page = false;       ///< a browser gets a page, which has no data of its own
  std::string_view lists = {}; ///< those of `query` that may be repeated
};

/// True if a request for the row changes something or queues work.
bool changes(const route& row) noexcept;

/// Returns the first parameter of the request that the row does not know; null if it knows all.
const std::string* unknown_parameter(const route& row, const request& of);

/// Returns the first parameter that the request has more than once, though the row knows no list of that name.
const std::string* doubled_parameter(const route& row, const request& of);

/// Finds the row for a path, in time that does not grow with the table. Immutable once built; any thread may ask.
class router {
public:
  /// `table` must outlive the router.
  explicit router(const std::vector<route>& table);
  ~router();

  struct match {
    const route* row = nullptr; ///< nullptr: no such path, or not with this method
    path_captures captures;     ///< the segments in braces; of a row only
    std::string_view allowed;   ///< methods of the path for an Allow header; empty: there is no such path
  };
  match find(std::string_view method, const std::vector<std::string>& segments) const;

private:
  struct node;
  const node* descend(const node& from, const std::vector<std::string>& segments, std::size_t depth) const;
  std::unique_ptr<node> root_;
};

} // namespace mistify::http
