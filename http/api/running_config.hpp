#pragma once

#include "actors/config/merge.hpp"

#include <mutex>
#include <string>
#include <vector>

namespace mistify::http {

/// The config that the agent runs with, for people: what its files say, and what of it only a restart applies. Thread-safe.
class running_config {
public:
  explicit running_config(const actors::config_texts& files);

  /// Notes what the files say now. Returns the members that differ from those of the start and that SIGHUP does not apply.
  std::vector<std::string> read_again(const actors::config_texts& files);

  /// `{"config":{…},"files":[…],"restart_needed":[…]}`, without secrets.
  std::string json() const;

private:
  const std::string at_start_;
  mutable std::mutex mutex_; // guards the following members
  std::string now_;
  std::vector<std::string> files_, restart_needed_;
};

/// True for a member such as "services.libvirt.port" or "log.level" that SIGHUP applies.
bool applies_while_running(std::string_view member);

} // namespace mistify::http
