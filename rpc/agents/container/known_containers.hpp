#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace mistify::agents::container {

/// The engine's ids of containers that were seen to be guests': by one of them a container can be acted on without a look
/// at whose it is, because an id is given once and the labels of a container never change. Thread-safe.
///
/// Only the name can come to mean another container. So ids are kept only while the engine's events are read, which report
/// what would make them wrong.
class known_containers {
public:
  /// Beyond so many guests an unrelated one is forgotten for each new one.
  static constexpr std::size_t most = 4096;

  /// Says whether events are read from now on. Removes all ids.
  void watch(bool now);
  /// Does nothing while no events are read, and for what is no id of 64 hexadecimal digits.
  void note(const std::string& guest, const std::string& id);
  void forget(const std::string& guest);
  /// "" if it is not known.
  std::string id_of(const std::string& guest) const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> ids_; // guest → id
  bool is_watched_ = false;
};

/// True for an event that says that the name of a container may mean another one from now on, or none.
bool ends_a_name(std::string_view action) noexcept;

} // namespace mistify::agents::container
