#include "actors/config/check.hpp"

#include "actors/config/config.hpp"
#include "actors/config/field_readers.hpp"
#include "actors/config/json_lines.hpp"
#include "actors/config/merge.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace mistify::actors {

namespace {

using rpc::json::document;
using rpc::json::node;

/// A part of a file that can be judged by itself, as a config that has nothing else.
struct part {
  std::string path; ///< "limits/queue"
  std::string json; ///< `{"limits":{"queue":…}}`
};

std::string quoted(std::string_view text) {
  rpc::json::writer out;
  out.value(text);
  return std::move(out).str();
}

std::string object(std::string_view key, std::string_view inner) {
  return "{" + quoted(key) + ":" + std::string{inner} + "}";
}

/// What is wrong with these files; null: nothing.
std::optional<std::string> fault_of(const config_texts& files) {
  try {
    parse_config(files);
    return std::nullopt;
  } catch (const rpc::failure& e) {
    return e.message();
  }
}

bool has_members(std::string_view key) {
  return key == "limits" || key == "http" || key == "log" || key == "debug" || key == "reports" || key == "services" ||
         key == "actions";
}

/// The parts of a top-level member.
std::vector<part> parts_of(std::string_view key, const node& value) {
  if (!has_members(key) || value.type() != node::kind::object)
    return {{std::string{key}, object(key, value.text())}};
  std::vector<part> parts;
  for (const auto& [name, inner] : value.members(key))
    parts.push_back({std::string{key} + "/" + std::string{name}, object(key, object(name, inner.text()))});
  return parts;
}

/// The parts of a part: a stage of an action, a member of a service, an entry of access. Each is filled up with what it
/// cannot be without.
std::vector<part> inner_parts(const part& of) {
  const auto parsed = document::parse(of.json);
  const auto members = parsed.root().members("");
  const auto& [key, section] = members.front();
  std::vector<part> parts;
  const auto add = [&](const std::string& path, std::string json) {
    parts.push_back({of.path + path, std::move(json)});
  };
  if (key == "actions" || key == "services") {
    if (section.type() != node::kind::object || section.members("").front().value.type() != node::kind::object)
      return {};
    const auto name = section.members("").front().key;
    for (const auto& [written, value] : section.members("").front().value.members("")) {
      const auto member = original_key(key == "actions" ? original_part::action : original_part::service, written);
      if (key == "actions" && member == "stages" && value.type() == node::kind::array) {
        std::size_t index = 0;
        for (const node& stage : value.items(""))
          add("/stages/" + std::to_string(index++),
              object(key, object(name, object("stages", "[" + stage.text() + "]"))));
      } else if (key == "services") {
        const std::string filler = member == "port" || member == "socket" ? ""
                                   : member == "user"                     ? R"("socket":"/s",)"
                                                                          : R"("port":1,)";
        add("/" + std::string{written},
            object(key, object(name, "{" + filler + quoted(written) + ":" + value.text() + "}")));
      }
    }
  } else if (key == "access" && section.type() == node::kind::object) {
    for (const auto& [list, value] : section.members("")) {
      std::size_t index = 0;
      if (value.type() == node::kind::array)
        for (const node& one : value.items(""))
          add("/" + std::string{list} + "/" + std::to_string(index++),
              object(key, object(list, "[" + one.text() + "]")));
      else
        add("/" + std::string{list}, object(key, object(list, value.text())));
    }
  }
  return parts;
}

bool lacks_service(std::string_view fault) {
  return fault.find("unable to find service") != fault.npos;
}

/// Removes the file's name from the front of a message: it stands there anyway.
std::string without_file(std::string fault, const std::string& file) {
  const auto begin = file + ": ";
  return fault.starts_with(begin) ? fault.substr(begin.size()) : fault;
}

/// An entry is judged as the only one of its list, "access/unix/6" as access.unix[0].
std::string renumbered(std::string fault, const std::string& path) {
  const auto last = path.rfind('/');
  auto list = path.substr(0, last);
  std::ranges::replace(list, '/', '.');
  const auto judged = list + "[0]";
  if (const auto at = fault.find(judged); at != fault.npos)
    fault.replace(at, judged.size(), list + "[" + path.substr(last + 1) + "]");
  return fault;
}

class checker {
public:
  explicit checker(const config_texts& files) : files_{files} {}

  config_report check() {
    for (const auto& [file, text] : files_)
      split(file, text);
    // Actions last: they look for their services.
    for (const bool actions : {false, true})
      for (const auto& one : parts_)
        if (one.what.path.starts_with("actions/") == actions)
          join(one);
    std::ranges::stable_sort(report_.mistakes, [](const auto& a, const auto& b) {
      return std::tie(a.file, a.line) < std::tie(b.file, b.line);
    });
    if (report_.mistakes.empty())
      finish();
    return std::move(report_);
  }

private:
  struct placed {
    const std::string* file;
    part what;
    std::size_t line;
  };

  void complain(const std::string& file, std::size_t line, std::string what) {
    report_.mistakes.push_back({file, line, without_file(std::move(what), file)});
  }

  /// Judges each part of a file by itself; those that are right go to `parts_`.
  void split(const std::string& file, const std::string& text) {
    std::optional<document> parsed;
    try {
      parsed = document::parse(text);
      static_cast<void>(parsed->root().members("config"));
    } catch (const rpc::failure& e) {
      complain(file, line_of_syntax(text, e.message()), e.message());
      return;
    }
    const json_lines lines{text};
    for (const auto& [key, value] : parsed->root().members("config"))
      for (auto& one : parts_of(original_key(original_part::config, key), value))
        if (judge(file, lines, one))
          parts_.push_back({&file, one, lines.of(one.path)});
  }

  bool judge(const std::string& file, const json_lines& lines, const part& one) {
    const auto fault = fault_of({{file, one.json}});
    if (!fault || lacks_service(*fault))
      return true;
    bool told = false;
    for (const auto& inner : inner_parts(one))
      if (const auto why = fault_of({{file, inner.json}}); why && !lacks_service(*why)) {
        complain(file, lines.of(inner.path), renumbered(*why, inner.path));
        told = true;
      }
    if (!told)
      complain(file, lines.of(one.path), *fault);
    wrong_.insert(one.path);
    return false;
  }

  /// Adds a part to those before it: two files may define the same, or a service is missing.
  void join(const placed& one) {
    good_.emplace_back(*one.file, one.what.json);
    const auto fault = fault_of(good_);
    if (!fault)
      return;
    good_.pop_back();
    if (!lacks_service(*fault) || !wrong_.contains("services/" + fault->substr(fault->rfind(' ') + 1)))
      complain(*one.file, one.line, *fault);
  }

  static std::size_t line_of_syntax(const std::string& text, const std::string& message) {
    const auto at = message.find("byte ");
    std::size_t byte = 0;
    if (at != message.npos)
      std::from_chars(message.data() + at + 5, message.data() + message.size(), byte);
    return line_at(text, byte);
  }

  void finish() {
    if (const auto fault = fault_of(files_)) { // a fault that checking the parts did not find
      complain(files_.empty() ? "" : files_.back().first, 0, *fault);
      return;
    }
    for (const auto& warning : parse_config(files_).warnings)
      report_.warnings.push_back({"", 0, warning});
    report_.merged = merge_config(files_);
  }

  const config_texts& files_;
  std::vector<placed> parts_;
  config_texts good_;
  std::set<std::string, std::less<>> wrong_;
  config_report report_;
};

} // namespace

std::string config_mistake::text() const {
  std::string where = file;
  if (line > 0)
    where += ":" + std::to_string(line);
  return where.empty() ? what : where + ": " + what;
}

config_mistake place_mistake(const config_texts& files, std::string message) {
  auto path = message.substr(0, message.find_first_of(" :"));
  std::ranges::replace(path, '.', '/');
  for (const auto& [file, text] : files)
    if (const json_lines lines{text}; lines.has(path))
      return {file, lines.of(path), std::move(message)};
  return {"", 0, std::move(message)};
}

config_report check_config(const config_texts& files) {
  return checker{files}.check();
}

config_report check_config(const std::filesystem::path& path) {
  try {
    return check_config(read_config_texts(path));
  } catch (const rpc::failure& e) {
    return {{{"", 0, e.message()}}, {}, {}};
  }
}

} // namespace mistify::actors
