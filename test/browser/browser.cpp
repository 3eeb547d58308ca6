#include "browser.hpp"

#include "test/system/daemon.hpp"
#include "test/system/json_path.hpp"
#include "test/system/sockets.hpp"

#include <httplib.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace mistify::test {

namespace {

using namespace std::chrono_literals;

/// A browser takes seconds to start on a busy machine.
constexpr auto longest_command = 60s;

/// The environment with another HOME, which lives as long as `home`.
std::vector<char*> environment_with(std::string& home) {
  std::vector<char*> all;
  for (char** one = environ; *one; ++one)
    if (!std::string_view{*one}.starts_with("HOME="))
      all.push_back(*one);
  home.insert(0, "HOME=");
  all.push_back(home.data());
  all.push_back(nullptr);
  return all;
}

pid_t start_driver(const std::string& output, std::string home) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT, 0600);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  std::array<char*, 3> words{const_cast<char*>("chromedriver"), const_cast<char*>("--port=0"), nullptr};
  pid_t id = -1;
  const bool own_home = !home.empty();
  auto changed = environment_with(home);
  const int error =
    ::posix_spawnp(&id, "chromedriver", &files, nullptr, words.data(), own_home ? changed.data() : environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0)
    throw std::system_error{error, std::generic_category(), "chromedriver"};
  return id;
}

/// The driver chooses a free port and says which.
std::uint16_t port_in(const std::string& output) {
  constexpr std::string_view mark = "successfully on port ";
  std::uint16_t port = 0;
  eventually([&] {
    const auto said = read_text(output);
    const auto found = said.find(mark);
    if (found != said.npos && said.find('\n', found) != said.npos)
      port = static_cast<std::uint16_t>(std::stoul(said.substr(found + mark.size())));
    return port != 0;
  });
  if (port == 0)
    throw std::runtime_error{"chromedriver did not start: " + read_text(output)};
  return port;
}

std::string capabilities(const std::filesystem::path& profile) {
  std::string flags;
  for (const auto* flag : {"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                           "--disable-background-networking", "--disable-component-update", "--disable-sync",
                           "--disable-dev-shm-usage", "--window-size=1280,800"})
    flags += json_string(flag) + ',';
  flags += json_string("--user-data-dir=" + profile.string());
  return R"({"capabilities":{"alwaysMatch":{"goog:loggingPrefs":{"browser":"SEVERE"},"goog:chromeOptions":{"args":[)" +
         flags + "]}}}}";
}

std::string decode_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = digits.find(c);
    if (digit == digits.npos)
      break;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if ((count += 6) >= 8)
      bytes += static_cast<char>(bits >> (count -= 8));
  }
  return bytes;
}

} // namespace

browser::browser(const std::string& home) {
  const auto output = (dir_.path() / "driver.log").string();
  driver_ = start_driver(output, home);
  port_ = port_in(output);
  session_ = text_at(send("POST", "/session", capabilities(dir_.path() / "profile")), "value/sessionId");
}

browser::~browser() {
  httplib::Client{"127.0.0.1", port_}.Delete("/session/" + session_);
  ::kill(driver_, SIGTERM);
  ::waitpid(driver_, nullptr, 0);
}

std::string browser::send(const std::string& verb, const std::string& path, const std::string& body) {
  httplib::Client client{"127.0.0.1", port_};
  client.set_read_timeout(longest_command);
  const auto where = session_.empty() ? path : "/session/" + session_ + path;
  const auto answer = verb == "GET" ? client.Get(where) : client.Post(where, body, "application/json");
  if (!answer)
    throw std::runtime_error{"chromedriver does not answer"};
  if (answer->status != 200)
    throw std::runtime_error{path + ": " + text_at(answer->body, "value/message")};
  return answer->body;
}

void browser::open(const std::string& url) {
  send("POST", "/url", R"({"url":)" + json_string(url) + "}");
}

void browser::back() {
  send("POST", "/back", "{}");
}

std::string browser::run(std::string_view expression) {
  const auto script = "return (" + std::string{expression} + ");";
  return at(send("POST", "/execute/sync", R"({"args":[],"script":)" + json_string(script) + "}"), "value");
}

std::string browser::text(std::string_view expression) {
  const auto script = "return (" + std::string{expression} + ");";
  return text_at(send("POST", "/execute/sync", R"({"args":[],"script":)" + json_string(script) + "}"), "value");
}

bool browser::becomes(std::string_view expression) {
  return eventually([&] { return run(expression) == "true"; });
}

bool browser::shows(std::string_view selector, std::string_view text) {
  return becomes("!!document.querySelector(" + json_string(selector) + ")?.innerText.includes(" + json_string(text) +
                 ")");
}

std::string browser::element(std::string_view selector) {
  const auto found = send("POST", "/element", R"({"using":"css selector","value":)" + json_string(selector) + "}");
  return text_at(found, "value/element-6066-11e4-a52e-4f735466cecf"); // the name that the standard gives it
}

void browser::click(std::string_view selector) {
  send("POST", "/element/" + element(selector) + "/click", "{}");
}

void browser::type(std::string_view selector, std::string_view text) {
  send("POST", "/element/" + element(selector) + "/value", R"({"text":)" + json_string(text) + "}");
}

void browser::resize(int width, int height) {
  send("POST", "/window/rect", R"({"width":)" + std::to_string(width) + R"(,"height":)" + std::to_string(height) + "}");
}

void browser::prefer_dark(bool dark) {
  send("POST", "/goog/cdp/execute",
       R"({"cmd":"Emulation.setEmulatedMedia","params":{"features":[{"name":"prefers-color-scheme","value":)" +
         json_string(dark ? "dark" : "light") + "}]}}");
}

std::string browser::errors() {
  return at(send("POST", "/se/log", R"({"type":"browser"})"), "value");
}

void browser::screenshot(const std::string& name) {
  const char* folder = std::getenv("MISTIFY_SCREENSHOTS");
  if (!folder)
    return;
  std::ofstream{std::filesystem::path{folder} / (name + ".png"), std::ios::binary}
    << decode_base64(text_at(send("GET", "/screenshot", ""), "value"));
}

} // namespace mistify::test
