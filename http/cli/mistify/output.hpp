#pragma once

#include "rpc/base/json.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON objects as tables, CSV, YAML or JSON.
namespace mistify::cli {

enum class format : std::uint8_t { table, json, yaml, csv };

struct layout {
  format as = format::table;
  std::vector<std::string> columns; ///< chosen by -o; empty: the usual ones, or whole objects
  std::vector<std::string> usual;   ///< of tables and CSV
  std::string sort;                 ///< a column; with a leading "-" descending; "": as they came
};

using rows = std::vector<std::reference_wrapper<const rpc::json::node>>;

/// The whole text of a list of objects. Columns are members in any case, with dots into objects ("power.boot").
std::string render(const rows& all, const layout& how);

/// The same of one object: JSON and YAML without the list around it.
std::string render_one(const rpc::json::node& object, const layout& how);

/// One object of an endless output: one line of JSON or CSV, one YAML document.
std::string render_line(const rpc::json::node& object, const layout& how);

/// A CSV header line of these columns.
std::string csv_header(const std::vector<std::string>& columns);

/// The member of that name: exactly, else in another case, else along its dots. Null where there is none.
const rpc::json::node* find_member(const rpc::json::node& object, std::string_view column);

/// Aligned columns; the first row is the header.
std::string align(const std::vector<std::vector<std::string>>& cells, bool colours);

} // namespace mistify::cli
