#include "http/cli/mistify/guest_body.hpp"

#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace mistify::cli {

namespace {

using rpc::json::node;
using rpc::json::writer;

/// Members of the body: name to JSON text.
using body_members = std::map<std::string, std::string, std::less<>>;

[[noreturn]] void refuse(const std::string& why) {
  throw give_up{status::usage, why};
}

body_members read_members(std::string_view json, const std::string& what) {
  body_members all;
  try {
    const auto parsed = rpc::json::document::parse(json);
    if (parsed.root().type() != node::kind::object)
      refuse(what + ": must be a JSON object");
    for (const auto& [key, value] : parsed.root().members(what))
      all.insert_or_assign(std::string{key}, value.text());
  } catch (const rpc::failure& e) {
    refuse(what + ": " + e.message());
  }
  return all;
}

std::string text_of(const body_members& all) {
  writer out;
  out.begin_object();
  for (const auto& [key, value] : all)
    out.key(key).raw(value);
  out.end_object();
  return std::move(out).str();
}

std::string json_string(std::string_view text) {
  writer out;
  out.value(text);
  return std::move(out).str();
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() ? std::optional{value}
                                                                                   : std::nullopt;
}

void put_text(body_members& to, const arguments& args, std::string_view option, const std::string& member) {
  if (args.has(option))
    to.insert_or_assign(member, json_string(args.text(option)));
}

void put_number(body_members& to, const arguments& args, std::string_view option, const std::string& member) {
  if (!args.has(option))
    return;
  const auto value = whole_number(args.text(option));
  if (!value)
    refuse(std::string{option} + ": must be a whole number");
  to.insert_or_assign(member, std::to_string(*value));
}

/// Adds pairs "K=V" to the object that the member is; "K-" puts null where `removes`.
void put_pairs(body_members& to, const arguments& args, std::string_view option, const std::string& member,
               bool removes) {
  if (!args.has(option))
    return;
  auto pairs = to.contains(member) ? read_members(to[member], member) : body_members{};
  for (const auto& text : args.list(option)) {
    const auto mark = text.find('=');
    if (mark != text.npos && mark > 0)
      pairs.insert_or_assign(text.substr(0, mark), json_string(text.substr(mark + 1)));
    else if (removes && mark == text.npos && text.size() > 1 && text.ends_with('-'))
      pairs.insert_or_assign(text.substr(0, text.size() - 1), "null");
    else
      refuse(std::string{option} + " " + text + ": must be KEY=VALUE" + (removes ? ", or KEY- to remove it" : ""));
  }
  to.insert_or_assign(member, text_of(pairs));
}

/// True for a text of digits, signs and points only: a number, or one with a mistake. Also for an empty text.
bool looks_like_number(std::string_view text) {
  return text.find_first_not_of("+-.0123456789") == text.npos;
}

/// "MB" or "IMAGE[:MB]"; images may have colons in their names.
body_members disk_members(const std::string& text) {
  const auto mark = text.rfind(':');
  const auto last = std::string_view{text}.substr(mark == text.npos ? 0 : mark + 1);
  const auto size = whole_number(last);
  const auto image = size ? text.substr(0, mark == text.npos ? 0 : mark) : text;
  if (size ? *size == 0 || (image.empty() && mark != text.npos) : looks_like_number(last))
    refuse("the disk " + text + ": must be MB, or IMAGE[:MB]");
  body_members disk;
  if (size)
    disk["size"] = std::to_string(*size);
  if (!image.empty())
    disk["image"] = json_string(image);
  return disk;
}

body_members nic_members(const std::string& network) {
  return {{"network", json_string(network)}};
}

template <class F>
void put_list(body_members& to, const std::vector<std::string>& texts, const std::string& member, F item) {
  if (texts.empty())
    return;
  std::string list = "[";
  for (const auto& text : texts)
    list.append(list.size() > 1 ? "," : "").append(item(text));
  to.insert_or_assign(member, list + "]");
}

std::string shown_name(const std::string& file) {
  return file == "-" ? "standard input" : file;
}

/// An empty file is that of a command that failed before a pipe.
void expect_content(const std::string& file, std::string_view content) {
  if (content.find_first_not_of(" \t\r\n") == content.npos)
    refuse(shown_name(file) + ": is empty");
}

body_members file_members(const std::string& name, const std::string& content) {
  expect_content(name, content);
  return read_members(content, shown_name(name));
}

body_members common_members(const arguments& args, const std::string& file, bool removes) {
  auto all = args.has("--file") ? file_members(args.text("--file"), file) : body_members{};
  put_text(all, args, "--name", "name");
  put_number(all, args, "--memory", "memory");
  put_number(all, args, "--cpu", "cpu");
  put_pairs(all, args, "--label", "labels", removes);
  return all;
}

} // namespace

std::string create_body(const arguments& args, const std::string& file, const std::string& user_data) {
  auto all = common_members(args, file, false);
  if (args.has("--id") && !is_uuid(args.text("--id")))
    refuse("--id: must be a UUID");
  put_text(all, args, "--id", "id");
  put_text(all, args, "--type", "type");
  put_text(all, args, "--image", "image");
  put_pairs(all, args, "--metadata", "metadata", false);
  put_list(all, args.list("--disk"), "disks", [](const std::string& disk) { return text_of(disk_members(disk)); });
  put_list(all, args.list("--nic"), "nics", [](const std::string& nic) { return text_of(nic_members(nic)); });
  if (args.has("--start"))
    all.insert_or_assign("start", "true");
  if (args.has("--user-data")) {
    expect_content(args.text("--user-data"), user_data);
    auto seed = all.contains("cloud_init") ? read_members(all["cloud_init"], "cloud_init") : body_members{};
    seed.insert_or_assign("user_data", json_string(user_data));
    all.insert_or_assign("cloud_init", text_of(seed));
  }
  return text_of(all);
}

std::string adopt_body(const arguments& args, const std::string& id) {
  body_members all;
  all["id"] = json_string(id);
  put_text(all, args, "--name", "name");
  put_pairs(all, args, "--label", "labels", false);
  put_pairs(all, args, "--metadata", "metadata", false);
  return text_of(all);
}

std::string update_body(const arguments& args, const std::string& file) {
  auto all = common_members(args, file, true);
  put_text(all, args, "--apply", "apply");
  if (all.empty() || (all.size() == 1 && all.contains("apply")))
    throw give_up{status::usage, "there is nothing to change", "mistify update --help names what can be changed"};
  return text_of(all);
}

std::string attach_disk_body(const arguments& args) {
  auto disk = disk_members(args.text("DISK"));
  put_text(disk, args, "--apply", "apply");
  return text_of(disk);
}

std::string attach_nic_body(const arguments& args) {
  auto nic = nic_members(args.text("NETWORK"));
  put_text(nic, args, "--model", "model");
  put_text(nic, args, "--mac", "mac");
  put_text(nic, args, "--apply", "apply");
  return text_of(nic);
}

std::string resize_body(const arguments& args) {
  body_members all;
  put_number(all, args, "MB", "size");
  put_text(all, args, "--apply", "apply");
  return text_of(all);
}

} // namespace mistify::cli
