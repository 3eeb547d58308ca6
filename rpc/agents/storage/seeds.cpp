#include "rpc/agents/storage/seeds.hpp"

#include "rpc/agents/storage/files.hpp"
#include "rpc/agents/storage/seed.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/unique_fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace mistify::agents::storage {

namespace {

namespace fs = std::filesystem;

rpc::cloud_init expect_cloud_init(const rpc::guest& of) {
  try {
    return rpc::cloud_init_of(of).value();
  } catch (const rpc::failure& e) {
    throw std::invalid_argument{e.message()};
  }
}

void write_new(const fs::path& file, std::string_view bytes) {
  const rpc::unique_fd fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  while (fd && !bytes.empty()) {
    const auto n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR)
      break;
    bytes.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  if (fd && !bytes.empty() && (errno == ENOSPC || errno == EDQUOT))
    throw std::runtime_error{"no space left on device"};
  if (!fd || !bytes.empty())
    throw std::system_error{errno, std::generic_category(), file.filename()};
}

} // namespace

fs::path seeds::file_of(const dataset_id& guest) const {
  return place_.store().seed_folder() / (guest.last_part() + ".iso");
}

rpc::guest_response seeds::create(const rpc::guest_request& request) {
  const auto id = dataset_id::of_guest(request.guest.id);
  rpc::guest_response answer{request.guest};
  if (!rpc::has_cloud_init(answer.guest)) {
    remove(request.guest.id); // of an earlier guest, which was deleted by force
    return answer;
  }
  const auto image = build_seed(make_seed_files(answer.guest, expect_cloud_init(answer.guest)));
  const auto turn = place_.take(id);
  auto& store = place_.store();
  const auto space = store.space().take(image.size());
  const staged_file fresh{store.staging() / ("seed-" + id.last_part() + ".iso")};
  write_new(fresh.path(), image);
  const auto access = store.access();
  access.make_folder(store.seed_folder());
  access.set_disk(fresh.path(), file_access::kind::image);
  replace(fresh.path(), file_of(id));
  return answer;
}

void seeds::remove(const std::string& guest) {
  const auto id = dataset_id::of_guest(guest);
  const auto turn = place_.take(id);
  fs::remove(file_of(id));
}

} // namespace mistify::agents::storage
