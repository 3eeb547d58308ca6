#pragma once

#include "rpc/fetch/url_reader.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace mistify::fetching {

/// How long a source is tried.
struct patience {
  unsigned tries = 8;                                                 ///< one behind the other that brought too little
  std::chrono::milliseconds first_pause{1000}, longest_pause{30'000}; ///< between tries: each twice the one before
  bool after_refusals =
    true; ///< tries again after 408, 425 and 429, which ask for patience; if false, every 4xx is final
};

/// Reads a source in as many goes as it takes. Belongs to one thread.
class patient_reader {
public:
  /// `stop` is asked a few times a second; what it throws leaves `read`. Throws std::invalid_argument as `url_reader` does.
  patient_reader(const std::string& url, const patience& how, const reader_settings& settings,
                 std::function<bool()> stop);

  void expect_file() const { from_.expect_file(); }

  /// Hands on the whole source. `begin` is called with 0 where what came before is void, with the number of bytes so far
  /// where the source goes on. Throws `source_error`: the last trouble, with the number of tries.
  void read(const std::function<void(std::int64_t from, std::int64_t total)>& begin,
            const std::function<void(std::string_view bytes)>& data);

  const std::string& content_type() const noexcept { return from_.content_type(); }

private:
  bool may_try_again(const source_error& e) const;
  void pause(std::chrono::milliseconds time) const;

  const patience patience_;
  const std::int64_t least_; // bytes that make a try worth while
  const std::function<bool()> stop_;
  url_reader from_;
  std::int64_t received_ = 0;
};

} // namespace mistify::fetching
