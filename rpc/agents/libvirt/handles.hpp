#pragma once

#include <libvirt/libvirt.h>

#include <memory>
#include <stdexcept>
#include <string>

/// libvirt's C handles, wrapped once.
namespace mistify::agents {

struct close_connection {
  void operator()(virConnectPtr c) const noexcept { virConnectClose(c); }
};
struct free_domain {
  void operator()(virDomainPtr d) const noexcept { virDomainFree(d); }
};
struct free_network {
  void operator()(virNetworkPtr n) const noexcept { virNetworkFree(n); }
};
struct free_text {
  void operator()(char* text) const noexcept { std::free(text); }
};

using connection_ptr = std::unique_ptr<virConnect, close_connection>;
using domain_ptr = std::unique_ptr<virDomain, free_domain>;
using network_ptr = std::unique_ptr<virNetwork, free_network>;
using text_ptr = std::unique_ptr<char, free_text>;

/// libvirt refused; `what()` is its own reason, `code()` one of virErrorNumber.
class hypervisor_error : public std::runtime_error {
public:
  hypervisor_error(int code, const std::string& reason) : std::runtime_error{reason}, code_{code} {}
  int code() const noexcept { return code_; }

private:
  int code_;
};

/// Throws the `hypervisor_error` that libvirt left on this thread.
[[noreturn]] void throw_last_error();

/// Passes on what a call of libvirt returned, unless that tells of an error.
template <class T>
T* must(T* result) {
  if (!result)
    throw_last_error();
  return result;
}
inline int must(int result) {
  if (result < 0)
    throw_last_error();
  return result;
}

/// Keeps libvirt from writing its errors to stderr too, which is for the log.
void silence_libvirt();

} // namespace mistify::agents
