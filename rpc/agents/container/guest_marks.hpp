#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::agents::container {

/// The guests whose containers this sub-agent made, and which of their runs it ended itself: one small file a guest, so that both
/// are known after a restart. Thread-safe. Trouble with the folder is logged and stops nothing: what is lost then is the reason of a stop.
class guest_marks {
public:
  /// Makes the folder. Throws std::filesystem::filesystem_error where it cannot be made.
  explicit guest_marks(std::filesystem::path folder);

  void note(const std::string& guest);
  /// `run`: the `started` of the container's run that is being stopped; "": none is any more.
  void note_stop(const std::string& guest, const std::string& run);
  /// The run of the last `note_stop`; "" if there is none.
  std::string stopped_run(const std::string& guest) const;
  void forget(const std::string& guest);
  std::vector<std::string> all() const;

private:
  std::filesystem::path file_of(const std::string& guest) const { return folder_ / guest; }
  void write(const std::string& guest, const std::string& text);

  const std::filesystem::path folder_;
  mutable std::mutex mutex_;
};

} // namespace mistify::agents::container
