#include "store/repeated_delete.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <string>

namespace mistify::store {

namespace {

bool fetches(std::string_view action) {
  return action == "fetchImage" || action == "containerFetchImage";
}

/// Empty if it has none, or cannot be read.
std::string id_in(std::string_view request) try {
  const auto document = rpc::json::document::parse(request);
  const auto* id = document.root().find("id");
  return id ? id->as_string("id") : std::string{};
} catch (const rpc::failure&) {
  return {};
}

/// True if the job may make what is to be deleted. A fetch without an id may be of any image.
bool may_make(const open_job& job, std::string_view id) {
  if (job.action == "createSnapshot")
    return true;
  if (!fetches(job.action))
    return false;
  const auto fetched = id_in(job.request);
  return fetched.empty() || fetched == id;
}

} // namespace

bool deletes_part(std::string_view action) noexcept {
  return action == "deleteImage" || action == "containerDeleteImage" || action == "deleteSnapshot";
}

const open_job* find_repeated_delete(const std::vector<open_job>& open, std::string_view action,
                                     std::string_view request) {
  const auto id = id_in(request);
  for (const auto& job : open) {
    if (job.action == action && job.request == request)
      return &job;
    if (may_make(job, id))
      return nullptr;
  }
  return nullptr;
}

} // namespace mistify::store
