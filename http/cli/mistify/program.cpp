#include "http/cli/mistify/program.hpp"

#include "http/cli/mistify/completion.hpp"
#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/help.hpp"
#include "http/cli/mistify/interrupt.hpp"
#include "http/cli/mistify/parser.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/secrets.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/process.hpp"

#include <string>
#include <vector>

namespace mistify::cli {

namespace {

int show_help(const command_line& line) {
  print(line.of ? help_of(*line.of) : help_of_all(line.group.starts_with('-') ? "" : line.group));
  flush_output();
  return code(status::done);
}

bool is_group(const std::string& word) {
  for (const auto& one : commands())
    if (one.path.starts_with(word + " "))
      return true;
  return false;
}

[[noreturn]] void no_command(const command_line& line) {
  if (line.group.empty())
    throw give_up{status::usage, "a command is missing", "mistify --help names all"};
  if (is_group(line.group))
    throw give_up{status::usage, "mistify " + line.group + " needs one of its commands",
                  "mistify " + line.group + " --help names them"};
  throw give_up{status::usage, "there is no command \"" + line.group + '"', "mistify --help names all"};
}

int run_words(const std::vector<std::string>& words) {
  if (!words.empty() && words.front() == "--version") {
    print("mistify " MISTIFY_VERSION "\n");
    flush_output();
    return code(status::done);
  }
  const auto line = split(words);
  if (line.help && (line.of || line.group.empty() || is_group(line.group)))
    return show_help(line);
  if (!line.of)
    no_command(line);
  context cx{*line.of, parse(line)};
  const int result = line.of->run(cx);
  flush_output();
  return result;
}

/// What the agent says of something that is not there names nothing.
std::string told(const client::failure& e, const std::vector<std::string>& words) {
  constexpr int not_found = 404;
  if (e.status() != not_found || e.message() != "not found")
    return e.message();
  std::string all;
  for (const auto& word : words)
    all.append(all.empty() ? "" : " ").append(word);
  return "not found: " + all;
}

int tell(status with, const std::string& why, const std::string& next) {
  error_list errors;
  errors.add(with, why, next);
  return errors.finish();
}

} // namespace

int run(int argc, char** argv) {
  rpc::prepare_process(); // a reader that left is an error of a write
  keep_closed_output();
  const std::vector<std::string> words{argv + (argc > 0 ? 1 : 0), argv + argc};
  try {
    if (!words.empty() && words.front() == "--complete")
      return run_completion({words.begin() + 1, words.end()});
    interrupt::begin();
    return run_words(words);
  } catch (const give_up& e) {
    return tell(e.with(), without_tokens(e.what(), words), e.next());
  } catch (const client::failure& e) {
    return tell(status_of(e), without_tokens(told(e, words), words), advice_for(e));
  } catch (const rpc::failure& e) { // JSON of the agent that is not as the API has it
    return tell(status::no_answer, "the answer is not an agent's: " + e.message(), "");
  } catch (const std::exception& e) {
    return tell(status::failed, e.what(), "");
  }
}

} // namespace mistify::cli
