#pragma once

#include "http/access/principal.hpp"
#include "store/events.hpp"
#include "store/job_reader.hpp"

#include <optional>
#include <string>
#include <unordered_set>

namespace mistify::http {

/// The events that an identity with a selector may see, one stream's, in order. An event belongs to the guest that it was
/// written for: it keeps the labels that this guest had then, at its end the last ones, so that neither the guest's
/// deletion nor another guest of the same id changes who sees it. Events of jobs that the identity queued are its own.
/// For one thread at a time; `jobs` outlives it.
class event_view {
public:
  event_view(const store::job_reader& jobs, principal_ptr who) noexcept;

  bool sees(const store::event& what);

private:
  bool owns(const store::event& what);

  const store::job_reader& jobs_;
  const principal_ptr who_;
  std::optional<std::unordered_set<std::string>> own_; // ids of its jobs, read when first asked for
  std::unordered_set<std::string> newer_;              // queued since then by somebody of its name
};

} // namespace mistify::http
