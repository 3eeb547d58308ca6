#pragma once

/// libvirt's test driver as if it lived in a daemon that restarts. It lives in this process, and its connections do not
/// break; so in this test binary some functions of libvirt are replaced by breakable_libvirt.cpp.
namespace mistify::test {

/// While it lives there is no daemon: connections that were open are broken, as whoever watches one is told, and none opens.
class daemon_outage {
public:
  daemon_outage();
  ~daemon_outage();
  daemon_outage(const daemon_outage&) = delete;
  daemon_outage& operator=(const daemon_outage&) = delete;

  /// Waits for somebody who tries to connect; false where nobody does.
  bool refuses_somebody() const;
};

} // namespace mistify::test
