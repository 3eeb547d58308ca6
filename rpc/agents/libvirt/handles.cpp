#include "rpc/agents/libvirt/handles.hpp"

#include <libvirt/virterror.h>

namespace mistify::agents {

void throw_last_error() {
  const auto* error = virGetLastError();
  throw hypervisor_error{error ? error->code : VIR_ERR_INTERNAL_ERROR,
                         error && error->message ? error->message : "libvirt failed without a reason"};
}

void silence_libvirt() {
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
}

} // namespace mistify::agents
