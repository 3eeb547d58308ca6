#pragma once

#include <stdexcept>
#include <string>

namespace mistify::fetching {

/// Thrown for content that is recognisably not what is fetched.
class wrong_content : public std::runtime_error {
public:
  wrong_content(const std::string& what, bool page) : runtime_error{what}, page_{page} {}
  bool is_page() const noexcept { return page_; } ///< such as servers answer with instead of an error

private:
  bool page_;
};

} // namespace mistify::fetching
