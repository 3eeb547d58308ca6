#include "rpc/agents/container/guest_marks.hpp"

#include "rpc/agents/container/container_call.hpp"
#include "rpc/base/log.hpp"

#include <fstream>
#include <system_error>

namespace mistify::agents::container {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_run = 64; // a time in RFC 3339

} // namespace

guest_marks::guest_marks(fs::path folder) : folder_{std::move(folder)} {
  fs::create_directories(folder_);
}

void guest_marks::write(const std::string& guest, const std::string& text) {
  const std::lock_guard lock{mutex_};
  const auto staged = folder_ / (guest + ".new");
  std::ofstream out{staged, std::ios::trunc};
  out << text;
  out.close();
  std::error_code failed;
  if (out)
    fs::rename(staged, file_of(guest), failed);
  if (!out || failed)
    rpc::log::warning("a guest's mark cannot be written", {{"guest", guest}, {"folder", folder_.string()}});
}

void guest_marks::note(const std::string& guest) {
  std::error_code ignored;
  if (!fs::exists(file_of(guest), ignored))
    write(guest, {});
}

void guest_marks::note_stop(const std::string& guest, const std::string& run) {
  const auto kept = run.size() > longest_run ? std::string{} : run; // a longer one is no time
  if (stopped_run(guest) != kept)
    write(guest, kept);
}

std::string guest_marks::stopped_run(const std::string& guest) const {
  const std::lock_guard lock{mutex_};
  std::ifstream in{file_of(guest)};
  std::string run(longest_run, '\0');
  in.read(run.data(), static_cast<std::streamsize>(run.size()));
  run.resize(static_cast<std::size_t>(in.gcount()));
  return run;
}

void guest_marks::forget(const std::string& guest) {
  const std::lock_guard lock{mutex_};
  std::error_code ignored;
  fs::remove(file_of(guest), ignored);
}

std::vector<std::string> guest_marks::all() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> guests;
  std::error_code failed;
  for (fs::directory_iterator at{folder_, failed}, end; !failed && at != end; at.increment(failed))
    if (auto name = at->path().filename().string(); is_guest_id(name))
      guests.push_back(std::move(name));
  return guests;
}

} // namespace mistify::agents::container
