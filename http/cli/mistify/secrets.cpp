#include "http/cli/mistify/secrets.hpp"

#include <string_view>

namespace mistify::cli {

namespace {

constexpr std::string_view instead = "…", own = "mst_"; // own: what the agent's tokens begin with

bool may_be_in_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::vector<std::string> tokens_of(const std::vector<std::string>& words) {
  constexpr std::string_view option = "--token", with_value = "--token=";
  std::vector<std::string> found;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i].starts_with(with_value))
      found.push_back(words[i].substr(with_value.size()));
    else if (words[i] == option && i + 1 < words.size())
      found.push_back(words[++i]);
  return found;
}

/// Replaces the token where it is a word: a short one is a part of many.
void hide(std::string& in, const std::string& token) {
  for (auto at = in.find(token); at != in.npos && !token.empty(); at = in.find(token, at)) {
    const auto end = at + token.size();
    if ((at > 0 && may_be_in_token(in[at - 1])) || (end < in.size() && may_be_in_token(in[end]))) {
      ++at;
      continue;
    }
    in.replace(at, token.size(), instead);
    at += instead.size();
  }
}

} // namespace

std::string without_tokens(std::string message, const std::vector<std::string>& words) {
  for (const auto& token : tokens_of(words))
    hide(message, token);
  for (auto at = message.find(own); at != message.npos; at = message.find(own, at + instead.size())) {
    auto end = at;
    while (end < message.size() && may_be_in_token(message[end]))
      ++end;
    message.replace(at, end - at, instead);
  }
  return message;
}

} // namespace mistify::cli
