#pragma once

#include "http/api/actor_gateway.hpp"
#include "http/protocol/compress.hpp"
#include "rpc/base/thread_pool.hpp"
#include "store/guest_index.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::http {

/// The JSON text of all guests, built at most once for each version of the directory and shared by its readers. Built
/// on a thread of its own: encoding and compressing ten thousand guests would block a worker too long. Thread-safe.
class guest_list {
public:
  using text = std::shared_ptr<const std::string>;
  enum class form : std::uint8_t { plain, gzip };

  /// `guests` outlives this.
  explicit guest_list(const store::guest_index& guests) : guests_{guests} {}

  /// Waits for the current build.
  ~guest_list();

  /// True if the text is long enough to be built on the thread.
  bool is_long() const noexcept;

  /// Returns the text of the guests as they are now or later. The handler resumes on the building thread.
  awaitable<text> get(form wanted);

private:
  struct asked {
    std::uint64_t version;
    form wanted;
    awaitable<text>::on_done on_done;
  };
  struct made {
    std::uint64_t version = 0; // of an empty list
    text plain, packed;

    const text& in(form wanted) const noexcept { return wanted == form::gzip ? packed : plain; }
  };

  void ask(form wanted, awaitable<text>::on_done on_done);
  void make_all();
  bool make_next();
  void make_plain();
  void make_packed(const text& plain);
  void answer_ready();
  void give_up(const rpc::failure& why);

  const store::guest_index& guests_;
  compressor gzip_;
  std::mutex mutex_;
  made last_;
  std::vector<asked> waiting_;
  bool making_ = false;
  rpc::thread_pool thread_{"guest-list", 1, 1}; // last: it uses the other members
};

} // namespace mistify::http
