#pragma once

namespace mistify::rpc {

/// A visitor of a variant, made of a function for each alternative.
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

} // namespace mistify::rpc
