#pragma once

#include <string_view>

namespace mistify::http {

/// How welcome a media type is to a client that sent this `Accept` header: 0 (not at all) to 1 (RFC 9110, 12.5.1). What
/// is said of the type itself counts more than of "text/*", and that more than of "*/*". Without a header all is welcome.
double welcome(std::string_view accept, std::string_view type);

/// Whether the client would rather have a page than JSON, as browsers would. A tool that does not care gets JSON.
bool prefers_page(std::string_view accept);

} // namespace mistify::http
