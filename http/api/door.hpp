#pragma once

#include "http/protocol/message.hpp"
#include "rpc/http1/door.hpp"
#include "rpc/http1/request_reader.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Which requests the agent takes, whoever the client is; see rpc/http1/door.hpp for the rules. Pure functions.
namespace mistify::http {

/// The refusal (400 or 421) of a request that is not addressed to this agent, else null. Clients of unix sockets, whose
/// `peer` is "local", may use every name. `known` is the connection's own, empty at first: the Host that was let in last,
/// which need not be judged again.
std::optional<rpc::http1::refusal> refuse_address(const rpc::door& names, const rpc::http1::request_head& head,
                                                  std::string_view peer, std::string& known);

/// True if a browser sent the request for a page of another site.
bool is_cross_site(const request& from);

/// True if a browser opens the address itself, by a link or by hand, and shows the answer as a page.
bool opens_page(const request& from);

/// True if the request bears any mark of a browser. Browsers leave out `Sec-Fetch-*` on plain HTTP beyond loopback, and
/// `Origin` in most GETs, so the name that all of them begin with counts too.
bool comes_from_browser(const request& from);

} // namespace mistify::http
