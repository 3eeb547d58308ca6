#include "http/cli/mistify/command.hpp"

#include <algorithm>
#include <map>

namespace mistify::cli {

const std::string& arguments::text(std::string_view name) const {
  static const std::string none;
  const auto found = values.find(name);
  return found == values.end() || found->second.empty() ? none : found->second.back();
}

const std::vector<std::string>& arguments::list(std::string_view name) const {
  static const std::vector<std::string> none;
  const auto found = values.find(name);
  return found == values.end() ? none : found->second;
}

const std::vector<option>& global_options() {
  static const std::vector<option> all{
    {"-H,--host", "URL|HOST",
     "the agent: unix:PATH, http://HOST:PORT or https://HOST:PORT; of a cluster a host's id, its begin, or its ip "
     "(MISTIFY_HOST)",
     word::host},
    {"--token", "TOKEN", "bearer token (MISTIFY_TOKEN)"},
    {"--token-file", "FILE", "a file with the bearer token", word::file},
    {"--cacert", "FILE", "certification authorities that https is checked by (MISTIFY_CACERT)", word::file},
    {"--cert", "FILE", "client certificate (MISTIFY_CERT)", word::file},
    {"--key", "FILE", "its key (MISTIFY_KEY)", word::file},
    {"--timeout", "SECONDS", "how long an answer may take (default 30)"},
    {"--cluster", "URL[,URL]", "the members of the cluster's etcd (MISTIFY_CLUSTER)"},
    {"--cluster-api", "API", "etcd's API, as the agents have it: v3 or v2 (default v3)", word::etcd_api},
    {"--cluster-user", "NAME", "the user of etcd (MISTIFY_CLUSTER_USER)"},
    {"--cluster-password-file", "FILE", "a file with its password (MISTIFY_CLUSTER_PASSWORD)", word::file},
    {"--prefix", "PATH", "what the cluster's keys begin with (default /lochness)"},
    {"--port", "PORT", "where the cluster's agents listen (default 8080)"},
    {"--tls", "", "call the cluster's agents by https"},
    {"-h,--help", "", "print this help"},
  };
  return all;
}

const std::vector<std::string>& fixed_values(word what) {
  static const std::map<word, std::vector<std::string>> all{
    {word::format, {"json", "table", "yaml", "csv"}},
    {word::role, {"viewer", "operator", "controller", "metrics", "sub-agent", "admin"}},
    {word::shell, {"bash", "zsh", "fish"}},
    {word::status, {"Queued", "Running", "Complete", "Error"}},
    {word::then, {"poweroff", "fail"}},
    {word::apply, {"live", "next-start", "either"}},
    {word::on_off, {"on", "off"}},
    {word::etcd_api, {"v3", "v2"}},
  };
  static const std::vector<std::string> none;
  const auto found = all.find(what);
  return found == all.end() ? none : found->second;
}

std::vector<option> options_of(const command& of) {
  auto all = of.options;
  if (of.changes)
    all.push_back({"--wait", "", "wait until the job has ended"});
  if (of.lists) {
    all.push_back({"--as", "FORMAT", "json, table, yaml or csv", word::format});
    all.push_back({"-o,--output", "COLUMNS", "members of the JSON to show, with commas between"});
    all.push_back({"--sort", "COLUMN", "sort by a member; -COLUMN descending"});
  }
  return all;
}

const command* find_command(const std::vector<std::string>& words, std::size_t& used) {
  const auto find = [](const std::string& path) -> const command* {
    const auto found = std::ranges::find(commands(), path, &command::path);
    return found == commands().end() ? nullptr : &*found;
  };
  if (words.empty())
    return nullptr;
  used = 2;
  if (words.size() > 1)
    if (const auto* both = find(words[0] + " " + words[1]))
      return both;
  used = 1;
  if (const auto* one = find(words[0]))
    return one;
  if (words.size() > 1 && !words[1].starts_with('-'))
    return nullptr; // a group and no command of it
  for (const auto* usual : {" list", " show"})
    if (words[0] != "token" || std::string_view{usual} == " list")
      if (const auto* found = find(words[0] + usual);
          found && words[0] != "snapshots" && words[0] != "disks" && words[0] != "nics")
        return found;
  return nullptr;
}

} // namespace mistify::cli
