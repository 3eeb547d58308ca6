#include "test/libvirt/hung_guest.hpp"

#include <array>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace mistify::test {

namespace {

rpc::unique_fd opened(int fd) {
  if (fd < 0)
    throw std::runtime_error{"no pipe to hang a guest on"};
  return rpc::unique_fd{fd};
}

/// The next one to open a file is seen by it, and has whatever locks it took before.
class opening {
public:
  explicit opening(const std::filesystem::path& of) {
    if (::inotify_add_watch(events_.get(), of.c_str(), IN_OPEN) < 0)
      throw std::runtime_error{"no watch of the pipe"};
  }

  void wait() const {
    pollfd seen{events_.get(), POLLIN, 0};
    if (::poll(&seen, 1, 10'000) != 1)
      throw std::runtime_error{"libvirt does not dump the guest"};
  }

private:
  rpc::unique_fd events_ = opened(::inotify_init1(IN_CLOEXEC));
};

} // namespace

hung_guest::hung_guest(agents::domain_ptr guest, const std::filesystem::path& folder, unsigned flags)
  : pipe_{folder / "hung-guest"}, guest_{std::move(guest)} {
  if (::mkfifo(pipe_.c_str(), 0600) < 0)
    throw std::runtime_error{"no pipe to hang a guest on"};
  end_ = opened(::open(pipe_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  fill_pipe();
  const opening by_libvirt{pipe_};
  dump_ = std::thread{[this, flags] { virDomainCoreDump(guest_.get(), pipe_.c_str(), flags); }};
  by_libvirt.wait();
}

hung_guest::~hung_guest() {
  let_go();
}

void hung_guest::let_go() {
  if (!dump_.joinable())
    return;
  drain_pipe();
  dump_.join();
  std::filesystem::remove(pipe_);
}

void hung_guest::fill_pipe() const {
  const std::array<char, 4096> page{};
  while (::write(end_.get(), page.data(), page.size()) > 0) {
  }
}

void hung_guest::drain_pipe() const {
  std::array<char, 4096> page{};
  while (::read(end_.get(), page.data(), page.size()) > 0) {
  }
}

} // namespace mistify::test
