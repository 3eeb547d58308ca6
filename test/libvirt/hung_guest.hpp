#pragma once

#include "rpc/agents/libvirt/handles.hpp"
#include "rpc/base/unique_fd.hpp"

#include <filesystem>
#include <string>
#include <thread>

namespace mistify::test {

/// A running guest on which libvirt hangs, as on a machine that does not respond: every call for it blocks until this
/// object releases the guest.
///
/// Meanwhile libvirt dumps the guest's memory into a full pipe, which keeps the guest locked.
class hung_guest {
public:
  /// Returns once the guest hangs. `flags` are those of virDomainCoreDump. Creates the pipe in `folder`.
  explicit hung_guest(agents::domain_ptr guest, const std::filesystem::path& folder, unsigned flags = 0);
  ~hung_guest();

  void let_go();

private:
  void fill_pipe() const;
  void drain_pipe() const;

  std::filesystem::path pipe_;
  rpc::unique_fd end_; // both ends of the pipe
  agents::domain_ptr guest_;
  std::thread dump_; // last: it uses the other members
};

} // namespace mistify::test
