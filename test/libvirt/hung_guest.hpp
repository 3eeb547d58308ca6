#pragma once

#include "rpc/agents/libvirt/handles.hpp"
#include "rpc/base/unique_fd.hpp"

#include <filesystem>
#include <string>
#include <thread>

namespace mistify::test {

/// A running guest on which libvirt hangs, as it does on a machine that answers nothing: every call for it waits until the
/// guest is let go.
///
/// libvirt dumps the guest's memory meanwhile, into a pipe that is full, and keeps the guest locked.
class hung_guest {
public:
  /// Returns when the guest hangs. `flags` are of virDomainCoreDump. The pipe is made in `folder`.
  explicit hung_guest(agents::domain_ptr guest, const std::filesystem::path& folder, unsigned flags = 0);
  ~hung_guest();

  void let_go();

private:
  void fill_pipe() const;
  void drain_pipe() const;

  std::filesystem::path pipe_;
  rpc::unique_fd end_; // both of the pipe's
  agents::domain_ptr guest_;
  std::thread dump_; // last: it uses the others
};

} // namespace mistify::test
