#pragma once

#include "rpc/agents/container/engine.hpp"
#include "rpc/agents/container/image_names.hpp"
#include "rpc/fetch/fetch_queue.hpp"
#include "rpc/kit/server.hpp"
#include "rpc/model/messages.hpp"

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

namespace mistify::agents::container {

/// The engine's images, and those on their way into it. Thread-safe. An image is known by the id that it was loaded as, else
/// by its reference. Error texts: `need an id`, `need source`, `no such image`.
class image_store {
public:
  /// Keeps what is on its way, and where images came from, in `folder`. Throws as `fetch_queue`.
  image_store(engine& on, std::filesystem::path folder, fetching::fetch_settings settings);

  rpc::image_response list(const rpc::image_request& request);
  rpc::image_response get(const rpc::image_request& request);
  /// Brings the image from `source`: the URL of an archive, packed or not, or else a reference, which the engine pulls. Without a
  /// source the id is the reference. Answers when it is there. `sha256`, a member or an arg of the stage, is what a URL has to send.
  rpc::image_response load(const rpc::image_request& request, const rpc::asker& who);
  /// Refused while there are containers of it, anybody's.
  rpc::image_response remove(const rpc::image_request& request);

private:
  struct found_image {
    std::string reference; ///< by which the engine found it
    rpc::json::document described;
  };
  std::optional<found_image> find(const std::string& id);
  void expect_unused(const std::string& engine_id);

  void fill(const std::string& id, const fetching::file_fetch::order& what, fetching::fetch_progress& progress,
            const std::function<bool()>& stop);
  bool is_there(const std::string& id, const fetching::file_fetch::order& what);
  void fetch(const std::string& id, const fetching::file_fetch::order& what, fetching::fetch_progress& progress,
             const std::function<bool()>& stop);
  void pull(const std::string& id, const std::string& reference, fetching::fetch_progress& progress,
            const std::function<bool()>& stop);
  void load_archive(const std::filesystem::path& file, const std::string& id, const std::function<bool()>& stop);

  // Where an image came from: a file beside the staging folder, of the engine's id of it and its origin.
  std::filesystem::path note_of(const std::string& id) const;
  void note(const std::string& id, const std::string& origin);
  std::string origin_of(const std::string& id, const found_image& there) const;

  engine& engine_;
  const std::filesystem::path folder_;
  std::atomic<unsigned> next_file_ = 0;
  fetching::fetch_queue queue_; // last: it calls `fill`
};

} // namespace mistify::agents::container
