#pragma once

#include <string>
#include <string_view>

/// What the heads of all answers share.
namespace mistify::rpc::http1 {

/// Appends "HTTP/1.1 STATUS REASON".
void append_status_line(std::string& out, int status);

/// Appends a header line. Control characters in the value become spaces, so that it stays one line.
void append_field(std::string& out, std::string_view name, std::string_view value);

/// Now, as a Date header has it: "Mon, 23 Nov 2026 21:00:00 GMT" (RFC 9110, section 5.6.7). Made once a second on each
/// thread, and valid until that thread asks again.
std::string_view date_now();

/// True for the statuses that never have a body: 1xx, 204 and 304.
bool is_bodiless(int status) noexcept;

/// The reason phrase; "Unknown" for what RFC 9110 does not name.
std::string_view reason_phrase(int status) noexcept;

} // namespace mistify::rpc::http1
