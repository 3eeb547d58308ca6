#pragma once

#include "http/access/principal.hpp"
#include "store/guest_index.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mistify::http {

/// Which guests a list has, and what of them.
struct guest_query {
  std::optional<std::string> name, state;
  std::vector<std::pair<std::string, std::string>> labels; ///< all must hold
  std::vector<std::string> fields;                         ///< members to show; empty: all
  std::optional<std::size_t> limit;                        ///< null: all that match
  std::string after;                                       ///< only guests with a greater id

  bool is_plain() const noexcept {
    return !name && !state && labels.empty() && fields.empty() && !limit && after.empty();
  }
};

/// A page of the list: guests sorted by id.
struct guest_page {
  std::string body; ///< JSON array
  std::string next; ///< the value of `after` for the next page; empty if this is the last
};

/// Reads no document of a guest that is not shown. Thread-safe.
guest_page make_guest_page(const store::guest_index& guests, const guest_query& query, const principal& who);

/// True for a member that `fields` may name.
bool is_guest_field(std::string_view name) noexcept;

/// Returns the members of a guest's JSON text that `fields` names, in their order in the text.
std::string pick_fields(std::string_view doc, const std::vector<std::string>& fields);

} // namespace mistify::http
