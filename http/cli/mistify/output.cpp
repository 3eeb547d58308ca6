#include "http/cli/mistify/output.hpp"

#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/text.hpp"
#include "http/cli/mistify/yaml.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/text.hpp"

#include <algorithm>
#include <utility>

namespace mistify::cli {

using rpc::json::node;

namespace {

/// What a cell shows: text as it is, the rest as JSON; nothing for null.
std::string cell_of(const node& object, std::string_view column) {
  const auto* value = find_member(object, column);
  if (!value || value->is_null())
    return {};
  return value->type() == node::kind::string ? value->as_string(column) : value->text();
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return text;
}

/// RFC 4180: quoted where it has to be.
std::string csv_cell(std::string_view text) {
  auto shown = escape(text);
  if (shown.find_first_of(",\"") == shown.npos)
    return shown;
  std::string quoted = "\"";
  for (const char c : shown)
    quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i)
    line.append(i > 0 ? "," : "").append(csv_cell(cells[i]));
  return line + "\r\n";
}

std::vector<std::string> cells_of(const node& object, const std::vector<std::string>& columns) {
  std::vector<std::string> cells;
  for (const auto& column : columns)
    cells.push_back(cell_of(object, column));
  return cells;
}

/// How a value sorts: numbers by value before texts, and what is missing last.
struct sort_key {
  int rank = 2;
  double number = 0;
  std::string text;
  bool operator<(const sort_key& other) const {
    return rank != other.rank ? rank < other.rank : rank == 0 ? number < other.number : text < other.text;
  }
};

sort_key key_of(const node& object, std::string_view column) {
  const auto* value = find_member(object, column);
  if (!value || value->is_null())
    return {};
  if (value->type() == node::kind::number) {
    try {
      return {0, value->as_double(column), {}};
    } catch (const rpc::failure&) { // beyond the range of doubles: sorts as text
    }
  }
  return {1, 0, cell_of(object, column)};
}

rows sorted(rows all, std::string_view by) {
  if (by.empty())
    return all;
  const bool down = by.starts_with('-');
  by.remove_prefix(down ? 1 : 0);
  std::vector<std::pair<sort_key, const node*>> keyed;
  for (const node& one : all)
    keyed.emplace_back(key_of(one, by), &one);
  std::ranges::stable_sort(keyed, [down](const auto& a, const auto& b) {
    const bool missing = a.first.rank == 2 || b.first.rank == 2; // last in either order
    return down && !missing ? b.first < a.first : a.first < b.first;
  });
  rows result;
  for (const auto& [key, one] : keyed)
    result.emplace_back(*one);
  return result;
}

/// An object of the chosen columns, or the whole one, as JSON text.
std::string chosen_text(const node& object, const std::vector<std::string>& columns) {
  if (columns.empty())
    return object.text();
  rpc::json::writer out;
  out.begin_object();
  for (const auto& column : columns) {
    const auto* value = find_member(object, column);
    out.key(column).raw(value ? value->text() : "null");
  }
  out.end_object();
  return std::move(out).str();
}

/// Indents JSON text that is valid.
std::string indent(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool quoted = false;
  const auto line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      out += c;
      if (c == '\\')
        out += json[++i];
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true, out += c;
    } else if (c == '{' || c == '[') {
      out += c;
      if (json[i + 1] == '}' || json[i + 1] == ']')
        out += json[++i];
      else
        ++depth, line();
    } else if (c == '}' || c == ']') {
      --depth, line(), out += c;
    } else {
      out += c;
      if (c == ':')
        out += ' ';
      else if (c == ',')
        line();
    }
  }
  return escape_json(out);
}

std::string list_text(const rows& all, const std::vector<std::string>& columns) {
  std::string text = "[";
  for (const node& one : all)
    text.append(text.size() > 1 ? "," : "").append(chosen_text(one, columns));
  return text + "]";
}

std::string as_table(const rows& all, const std::vector<std::string>& columns) {
  std::vector<std::vector<std::string>> cells{{}};
  for (const auto& column : columns)
    cells.front().push_back(upper(column));
  for (const node& one : all)
    cells.push_back(cells_of(one, columns));
  return align(cells, has_colours());
}

std::string as_csv(const rows& all, const std::vector<std::string>& columns) {
  auto text = csv_header(columns);
  for (const node& one : all)
    text += csv_line(cells_of(one, columns));
  return text;
}

std::string as_yaml(std::string_view json) {
  const auto parsed = rpc::json::document::parse(json);
  return to_yaml(parsed.root());
}

/// States are what an eye looks for.
std::string_view colour_of(std::string_view cell) {
  if (cell == "running" || cell == "Running" || cell == "Complete" || cell == "complete")
    return "\x1b[32m";
  if (cell == "error" || cell == "Error" || cell == "crashed" || cell == "missing")
    return "\x1b[31m";
  return {};
}

} // namespace

const node* find_member(const node& object, std::string_view column) {
  if (const auto* exact = object.find(column))
    return exact;
  if (object.type() != node::kind::object)
    return nullptr;
  for (const auto& [key, value] : object.members("object"))
    if (rpc::text::equal_ignoring_case(key, column))
      return &value;
  const auto dot = column.find('.');
  if (dot == column.npos)
    return nullptr;
  const auto* inner = find_member(object, column.substr(0, dot));
  return inner ? find_member(*inner, column.substr(dot + 1)) : nullptr;
}

std::string align(const std::vector<std::vector<std::string>>& cells, bool colours) {
  std::vector<std::vector<std::string>> shown;
  std::vector<std::size_t> widths(cells.front().size());
  for (const auto& row : cells) {
    auto& line = shown.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line.emplace_back(escape(row[i]))));
  }
  std::string text;
  for (std::size_t n = 0; n < shown.size(); ++n) {
    std::string line;
    for (std::size_t i = 0; i < shown[n].size(); ++i) {
      const auto& cell = shown[n][i];
      const auto colour = !colours ? std::string_view{} : n == 0 ? std::string_view{"\x1b[1m"} : colour_of(cell);
      line.append(colour).append(cell).append(colour.empty() ? "" : "\x1b[0m");
      if (i + 1 < shown[n].size())
        line.append(widths[i] - width_of(cell) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text.append(line).append("\n");
  }
  return text;
}

std::string csv_header(const std::vector<std::string>& columns) {
  return csv_line(columns);
}

std::string render(const rows& all, const layout& how) {
  const auto order = sorted(all, how.sort);
  const auto& columns = how.columns.empty() ? how.usual : how.columns;
  switch (how.as) {
  case format::json: return indent(list_text(order, how.columns)) + "\n";
  case format::yaml: return as_yaml(list_text(order, how.columns));
  case format::csv: return as_csv(order, columns);
  case format::table: break;
  }
  return as_table(order, columns);
}

std::string render_one(const node& object, const layout& how) {
  if (how.as == format::json)
    return indent(chosen_text(object, how.columns)) + "\n";
  if (how.as == format::yaml)
    return as_yaml(chosen_text(object, how.columns));
  return render({object}, how);
}

std::string render_line(const node& object, const layout& how) {
  const auto& columns = how.columns.empty() ? how.usual : how.columns;
  switch (how.as) {
  case format::json: return escape_json(chosen_text(object, how.columns)) + "\n";
  case format::yaml: return "---\n" + as_yaml(chosen_text(object, how.columns));
  case format::csv: return csv_line(cells_of(object, columns));
  case format::table: break;
  }
  std::string line;
  for (const auto& cell : cells_of(object, columns))
    line.append(line.empty() ? "" : "  ").append(cell.empty() ? "-" : escape(cell));
  return line + "\n";
}

} // namespace mistify::cli
