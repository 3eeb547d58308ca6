#include "http/cli/mistify/completion.hpp"

#include "http/cli/mistify/cluster/cluster.hpp"
#include "http/cli/mistify/command.hpp"
#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/screen.hpp"
#include "rpc/base/cut_text.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <unistd.h>
#include <utility>

namespace mistify::cli {

namespace {

using candidates = std::vector<std::string>;

/// Where the last word stands.
struct place {
  const command* of = nullptr;
  std::vector<std::string> path;    ///< words of the command, where `of` is null yet
  std::vector<std::string> values;  ///< arguments before the last word
  const option* value_of = nullptr; ///< the last word is this option's value
  arguments args;                   ///< options before it, for the connection
};

const option* find_option(const std::vector<option>& all, std::string_view word) {
  for (const auto& one : all) {
    for (auto rest = one.names; !rest.empty();) {
      const auto end = rest.find(',');
      if (rest.substr(0, end) == word)
        return &one;
      rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    }
  }
  return nullptr;
}

/// Takes the words before the last one.
class walker {
public:
  explicit walker(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
      take(words[i]);
  }
  place found() && { return std::move(at_); }
  const std::vector<option>& options() const { return options_; }

private:
  void take(const std::string& word) {
    if (at_.value_of) {
      at_.args.values[std::string{std::exchange(at_.value_of, nullptr)->name()}] = {word};
    } else if (word.starts_with('-') && word.size() > 1) {
      take_option(word);
    } else if (at_.of) {
      at_.values.push_back(word);
    } else {
      take_command(word);
    }
  }

  void take_option(const std::string& word) {
    const auto mark = word.starts_with("--") ? word.find('=') : word.npos;
    const auto* known = find_option(options_, word.substr(0, mark));
    if (!known || known->value.empty())
      return;
    if (mark == word.npos)
      at_.value_of = known;
    else
      at_.args.values[std::string{known->name()}] = {word.substr(mark + 1)};
  }

  /// The first word may be a whole command, or the first half of one.
  void take_command(const std::string& word) {
    at_.path.push_back(word);
    std::string path;
    for (const auto& one : at_.path)
      path.append(path.empty() ? "" : " ").append(one);
    for (const auto& one : commands())
      if (one.path == path)
        at_.of = &one;
    if (at_.of) {
      const auto own = options_of(*at_.of);
      options_.insert(options_.begin(), own.begin(), own.end());
    }
  }

  place at_;
  std::vector<option> options_ = global_options();
};

candidates names_of(const std::vector<named>& all) {
  candidates names;
  for (const auto& one : all)
    names.push_back(one.name.empty() ? one.id : one.name);
  return names;
}

/// A snapshot's id is guests/ID[/disk-N]@NAME.
candidates snapshots_of(client::client& agent, const place& at) {
  const auto guest = resolve(all_guests(agent), at.values.front(), "guest");
  candidates names;
  for (const auto& one : agent.snapshots(guest).value())
    names.push_back(one.id.substr(one.id.find('@') + 1));
  return names;
}

/// The options of the line, with as long for each answer, etcd's too, as somebody waits for a word.
arguments in_a_hurry(const place& at) {
  auto args = at.args;
  args.values["--timeout"] = {"0.7"};
  return args;
}

/// Ids and addresses; nothing where no cluster is named.
candidates hosts_of_cluster(const place& at) {
  if (!has_cluster(at.args))
    return {};
  candidates names;
  for (const auto& one : cluster{in_a_hurry(at)}.read_hosts())
    names.insert(names.end(), {one.id, one.ip});
  return names;
}

candidates asked_of_agent(word what, const place& at) {
  client::client agent{settings_of(in_a_hurry(at))};
  switch (what) {
  case word::guest: return names_of(all_guests(agent));
  case word::domain: return names_of(read_named(agent.unmanaged().body, "id", "name"));
  case word::job: return names_of(read_named(agent.jobs({{"limit", "100"}}).body, "ID", ""));
  case word::image: return names_of(read_named(agent.images().body, "id", ""));
  case word::token: return names_of(read_named(agent.tokens().body, "id", "name"));
  case word::snapshot: return at.values.empty() ? candidates{} : snapshots_of(agent, at);
  default: return {};
  }
}

candidates values_of(word what, const place& at) {
  if (const auto& fixed = fixed_values(what); !fixed.empty())
    return fixed;
  switch (what) {
  case word::host: return hosts_of_cluster(at);
  case word::text:
  case word::file: return {};
  default: return asked_of_agent(what, at);
  }
}

candidates next_command_words(const place& at) {
  std::string begin;
  for (const auto& one : at.path)
    begin.append(one).append(" ");
  candidates words;
  for (const auto& one : commands())
    if (one.path.starts_with(begin)) {
      const auto rest = one.path.substr(begin.size());
      words.emplace_back(rest.substr(0, rest.find(' ')));
    }
  return words;
}

candidates option_names(const std::vector<option>& all) {
  candidates names;
  for (const auto& one : all)
    names.emplace_back(one.name());
  return names;
}

candidates argument_values(const place& at) {
  const auto& takes = at.of->takes;
  const auto n = at.values.size();
  if (n < takes.size())
    return values_of(takes[n].what, at);
  return !takes.empty() && takes.back().repeats ? values_of(takes.back().what, at) : candidates{};
}

/// What fits behind `last`, each once. Names with control characters are no line.
candidates fitting(const candidates& all, std::string_view last) {
  std::set<std::string> once;
  for (const auto& one : all)
    if (one.starts_with(last) && !one.empty() && !rpc::has_control(one))
      once.insert(one);
  return {once.begin(), once.end()};
}

candidates find_candidates(const std::vector<std::string>& words) {
  if (words.empty())
    return {};
  walker walked{words};
  const auto options = walked.options();
  const auto at = std::move(walked).found();
  const auto& last = words.back();
  if (at.value_of)
    return fitting(values_of(at.value_of->what, at), last);
  if (const auto mark = last.find('='); last.starts_with("--") && mark != last.npos) {
    const auto* known = find_option(options, last.substr(0, mark));
    auto values = known ? fitting(values_of(known->what, at), last.substr(mark + 1)) : candidates{};
    for (auto& one : values)
      one.insert(0, last.substr(0, mark + 1));
    return values;
  }
  if (last.starts_with('-'))
    return fitting(option_names(options), last);
  return fitting(at.of ? argument_values(at) : next_command_words(at), last);
}

} // namespace

std::vector<std::string> complete(const std::vector<std::string>& words) noexcept {
  try {
    return find_candidates(words);
  } catch (...) { // away, or a line that is no command yet
    return {};
  }
}

int run_completion(const std::vector<std::string>& words) {
  // Also names that are slow to resolve end in time.
  std::thread{[] {
    std::this_thread::sleep_for(std::chrono::milliseconds{900});
    ::_exit(code(status::done));
  }}.detach();
  for (const auto& one : complete(words))
    print(one + "\n");
  flush_output();
  return code(status::done);
}

} // namespace mistify::cli
