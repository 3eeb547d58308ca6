#include "rpc/agents/libvirt/console_log.hpp"

#include "rpc/base/pread_all.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <numeric>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace mistify::agents {

namespace {

/// Of the opening of all files while one after the other is renamed.
constexpr int most_attempts = 5;

constexpr std::size_t piece = 64 * 1024;

[[noreturn]] void give_up(int error, const std::string& name) {
  throw std::system_error{error, std::generic_category(), "the console's log " + name};
}

/// Looks back for the `lines`th end of a line.
class line_finder {
public:
  line_finder(std::uint64_t lines, std::uint64_t longest, const console_log::receiver& to)
    : lines_{lines}, left_{longest}, to_{to} {}

  /// The place in the file behind that end, or where the look ended; null if it goes on before the file.
  std::optional<std::uint64_t> find(int fd, std::uint64_t end) {
    std::array<char, piece> bytes; // NOLINT(*-member-init): read_at fills what counts
    while (end > 0) {
      if (!to_({})) {
        given_up_ = true;
        return end;
      }
      const auto begin = end - std::min<std::uint64_t>({end, left_, bytes.size()});
      const auto got = rpc::read_at(fd, begin, bytes.data(), static_cast<std::size_t>(end - begin));
      for (auto i = got; i > 0; --i)
        if (bytes[i - 1] == '\n' && --lines_ == 0)
          return begin + i;
      left_ -= end - begin;
      end = begin;
      if (left_ == 0)
        return end;
    }
    return std::nullopt;
  }

  bool given_up() const noexcept { return given_up_; }

private:
  std::uint64_t lines_, left_;
  const console_log::receiver& to_;
  bool given_up_ = false;
};

} // namespace

console_log::console_log(std::filesystem::path folder, std::string id)
  : folder_{std::move(folder)}, name_{std::move(id) + ".log"}, files_{open_all()} {}

/// Of a missing file the descriptor is -1.
console_log::file console_log::open(const std::string& name) const {
  const auto path = folder_ / name;
  file opened{.fd = rpc::unique_fd{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)}};
  if (!opened.fd) {
    if (errno == ENOENT)
      return opened;
    give_up(errno, name);
  }
  struct stat is {};
  if (::fstat(opened.fd.get(), &is) != 0)
    give_up(errno, name);
  if (!S_ISREG(is.st_mode))
    give_up(EINVAL, name);
  opened.device = is.st_dev;
  opened.inode = is.st_ino;
  opened.size = static_cast<std::uint64_t>(is.st_size);
  return opened;
}

/// The oldest first. Null if a new file took the newest's place meanwhile. virtlogd renames the oldest first, so that a
/// look from the newest on misses none; but one that is renamed meanwhile shows up twice.
std::optional<std::vector<console_log::file>> console_log::try_to_open_all() const {
  std::vector<file> newest_first;
  auto newest = open(name_);
  const auto is_known = [&](const file& f) {
    return (newest.fd && f.is(newest)) || std::ranges::any_of(newest_first, [&](const file& g) { return f.is(g); });
  };
  for (int i = 0; i < most_older; ++i)
    if (auto older = open(name_ + '.' + std::to_string(i)); older.fd && !is_known(older))
      newest_first.push_back(std::move(older));
  if (const auto again = open(name_); !again.fd != !newest.fd || !again.is(newest))
    return std::nullopt;
  std::ranges::reverse(newest_first);
  if (newest.fd)
    newest_first.push_back(std::move(newest));
  return newest_first;
}

std::vector<console_log::file> console_log::open_all() const {
  for (int i = 0; i < most_attempts; ++i)
    if (auto all = try_to_open_all())
      return *std::move(all);
  give_up(EAGAIN, name_);
}

std::uint64_t console_log::size() const noexcept {
  return std::accumulate(files_.begin(), files_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const file& f) { return sum + f.size; });
}

std::optional<std::uint64_t> console_log::start_of_last(std::uint64_t lines, const receiver& to) const {
  auto before = size();
  if (lines == 0 || before == 0)
    return before;
  char last = 0;
  const auto end = std::find_if(files_.rbegin(), files_.rend(), [](const file& f) { return f.size > 0; });
  rpc::read_at(end->fd.get(), end->size - 1, &last, 1);
  if (last == '\n' && lines < UINT64_MAX)
    ++lines; // the end of the last line begins none
  line_finder finder{lines, longest_look_back, to};
  for (auto f = files_.rbegin(); f != files_.rend(); ++f) {
    before -= f->size;
    const auto found = finder.find(f->fd.get(), f->size);
    if (finder.given_up())
      return std::nullopt;
    if (found)
      return before + *found;
  }
  return 0;
}

bool console_log::pass_on(std::uint64_t start, const receiver& to) {
  for (auto& f : std::exchange(files_, {})) {
    place_ = std::min(start, f.size);
    start -= place_;
    current_ = std::move(f);
    if (!drain(current_.size, to))
      return false;
  }
  return true;
}

/// True if the current file is not the newest any more.
bool console_log::has_moved() const {
  struct stat is {};
  if (::lstat((folder_ / name_).c_str(), &is) != 0)
    return errno == ENOENT && current_.fd; // it is renamed, or removed
  return !current_.fd || is.st_dev != current_.device || is.st_ino != current_.inode;
}

/// Of several files that became older at once all come; one that is gone already is missed.
bool console_log::pass_on_new(const receiver& to) {
  const bool moved = has_moved();
  if (current_.fd && !drain(to))
    return false;
  if (!moved)
    return true;
  auto all = open_all();
  const auto old = std::ranges::find_if(all, [&](const file& f) { return current_.fd && f.is(current_); });
  for (auto next = old == all.end() ? all.begin() : old + 1; next != all.end(); ++next) {
    current_ = std::move(*next);
    place_ = 0;
    if (!drain(to))
      return false;
  }
  return true;
}

/// To the end that the file has now. One that became shorter begins anew.
bool console_log::drain(const receiver& to) {
  struct stat is {};
  if (::fstat(current_.fd.get(), &is) != 0)
    give_up(errno, name_);
  const auto end = static_cast<std::uint64_t>(is.st_size);
  if (end < place_)
    place_ = 0;
  return drain(end, to);
}

bool console_log::drain(std::uint64_t end, const receiver& to) {
  std::array<char, piece> bytes; // NOLINT(*-member-init): read_at fills what counts
  while (place_ < end) {
    const auto wanted = std::min<std::uint64_t>(end - place_, bytes.size());
    const auto got = rpc::read_at(current_.fd.get(), place_, bytes.data(), static_cast<std::size_t>(wanted));
    if (got == 0)
      return true; // it became shorter
    place_ += got;
    if (!to({bytes.data(), got}))
      return false;
  }
  return true;
}

} // namespace mistify::agents
