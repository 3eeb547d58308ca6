#pragma once

#include "test/system/temp_dir.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace mistify::test {

/// A headless Chromium with one empty window, as a person would see it: driven through chromedriver, on loopback only.
class browser {
public:
  browser();
  ~browser(); ///< ends both processes
  browser(const browser&) = delete;
  browser& operator=(const browser&) = delete;

  /// Loads a page and waits until it is there. What is opened is remembered by Back.
  void open(const std::string& url);
  void back();

  /// What an expression is in the page, as compact JSON text: `run("document.title")` is `"Actors"`, with quotes.
  std::string run(std::string_view expression);
  /// The same for a string, without its quotes.
  std::string text(std::string_view expression);
  /// Waits until the expression is true; false when it does not become so.
  bool becomes(std::string_view expression);
  /// Waits until an element shows this text.
  bool shows(std::string_view selector, std::string_view text);

  /// Clicks, as a person does: what is covered or out of sight cannot be clicked, and throws.
  void click(std::string_view selector);
  /// Types into an element; `key` codes of WebDriver are text too: "\uE00C" is Escape.
  void type(std::string_view selector, std::string_view text);

  void resize(int width, int height);
  /// How the person likes colours.
  void prefer_dark(bool dark);
  /// Everything that the page wrote to the console as an error, and exceptions that nobody caught; "[]": none.
  std::string errors();

  /// Keeps what the window shows, where MISTIFY_SCREENSHOTS names a folder: for people to look at.
  void screenshot(const std::string& name);

private:
  std::string send(const std::string& verb, const std::string& path, const std::string& body);
  std::string element(std::string_view selector);

  temp_dir dir_;
  pid_t driver_ = -1;
  std::uint16_t port_ = 0;
  std::string session_;
};

} // namespace mistify::test
