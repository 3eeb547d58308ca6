#pragma once

#include "http/cli/mistify/context.hpp"
#include "http/client/job_waiter.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mistify::cli {

/// Something that can be named by its id or its name; not everything has one.
struct named {
  std::string id, name;
};

/// The one that `asked` means: a whole id, then a whole name, then a unique prefix of either. Throws `give_up{absent}`
/// for none, `give_up{usage}` with the candidates for several. `kind` is "guest" or "job".
std::string resolve(const std::vector<named>& all, std::string_view asked, std::string_view kind);

/// The id of the guest that a word names. A whole UUID is taken for an id without asking: so deleted guests' jobs can be
/// found, and nothing can be shaped like one but an id.
std::string guest_id(context& cx, const std::string& asked);
/// The ids of several guests, each once. Nothing is done to any before all are known.
std::vector<std::string> guest_ids(context& cx, const std::vector<std::string>& asked);
std::string job_id(context& cx, const std::string& asked);
std::vector<std::string> job_ids(context& cx, const std::vector<std::string>& asked);
/// The same, while the agent may be away.
std::vector<std::string> job_ids(context& cx, const std::vector<std::string>& asked, client::patience& left);
std::string token_id(context& cx, const std::string& asked);
/// Of a domain that libvirt has and that is no guest.
std::string unmanaged_id(context& cx, const std::string& asked);

/// After a 404 about a guest: throws what is missing, the guest or what was asked of it. Other failures are thrown again.
[[noreturn]] void explain_missing(context& cx, const std::string& guest, const std::string& what,
                                  const client::failure& e);

/// All guests with their names. Asks for these members only, where the agent can choose.
std::vector<named> all_guests(client::client& agent);

/// The same, of any list whose objects have members of these names.
std::vector<named> read_named(const std::string& json, std::string_view id, std::string_view name);

} // namespace mistify::cli
