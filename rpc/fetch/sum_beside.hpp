#pragma once

#include "rpc/fetch/patient_reader.hpp"

#include <functional>
#include <string>

namespace mistify::fetching {

/// What lies beside a source as SOURCE.sha256.
struct sum_beside {
  std::string sum;  ///< 64 lower-case digits; empty: there is none
  std::string note; ///< why there is none where something is; for people
};

/// Looks for the sum that whoever made the source says it has. None: any 4xx, a page for people, a text longer than a sum's.
/// Throws `source_error`, which names the URL, where it cannot be known whether there is one; `source_refused` where a rule
/// forbids to look.
sum_beside find_sum_beside(const std::string& source, patience how, const reader_settings& settings,
                           const std::function<bool()>& stop);

} // namespace mistify::fetching
