#pragma once

#include <string>

namespace mistify::client {

/// A new Idempotency-Key: 128 random bits of the kernel in hexadecimal.
std::string new_request_key();

} // namespace mistify::client
