#pragma once

#include "test/system/temp_dir.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace mistify::test {

/// A headless Chromium with one empty window, driven through chromedriver, on loopback only.
class browser {
public:
  /// `home`: of its own user settings, such as the certificates that it has; "": those of the test's user.
  explicit browser(const std::string& home = "");
  ~browser(); ///< ends both processes
  browser(const browser&) = delete;
  browser& operator=(const browser&) = delete;

  /// Loads a page and waits for it. The page is added to the history.
  void open(const std::string& url);
  void back();

  /// Evaluates an expression in the page and returns compact JSON text: `run("document.title")` is `"Actors"`, with
  /// quotes.
  std::string run(std::string_view expression);
  /// The same for a string, without its quotes.
  std::string text(std::string_view expression);
  /// Waits until the expression is true; returns false after a time-out.
  bool becomes(std::string_view expression);
  /// Waits until an element shows this text.
  bool shows(std::string_view selector, std::string_view text);

  /// Clicks an element; throws if it is covered or outside of the window.
  void click(std::string_view selector);
  /// Types into an element; WebDriver's `key` codes are text too: "\uE00C" is Escape.
  void type(std::string_view selector, std::string_view text);

  void resize(int width, int height);
  /// Sets the preferred colour scheme.
  void prefer_dark(bool dark);
  /// Returns the errors on the page's console and uncaught exceptions; "[]": none.
  std::string errors();

  /// Saves a picture of the window in the folder named by MISTIFY_SCREENSHOTS, if it is set.
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
