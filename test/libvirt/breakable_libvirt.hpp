#pragma once

/// Simulates a libvirt daemon that restarts. libvirt's test driver runs in this process and its connections cannot
/// break, so breakable_libvirt.cpp replaces some functions of libvirt in this test binary.
namespace mistify::test {

/// While it lives there is no daemon: open connections are broken, which their watchers are notified of, and new ones
/// fail.
class daemon_outage {
public:
  daemon_outage();
  ~daemon_outage();
  daemon_outage(const daemon_outage&) = delete;
  daemon_outage& operator=(const daemon_outage&) = delete;

  /// Waits for an attempt to connect; returns false if there is none.
  bool refuses_somebody() const;
};

/// While it lives, a domain that is paused is so because its disk vda was full.
class full_disk {
public:
  full_disk();
  ~full_disk();
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;
};

} // namespace mistify::test
