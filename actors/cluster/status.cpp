#include "actors/cluster/status.hpp"

#include <array>

namespace mistify::actors::cluster {

using rpc::metrics::kind;

std::string_view to_string(standing of) noexcept {
  constexpr std::array<std::string_view, 5> names{"joining", "joined", "away", "refused", "left"};
  return names.at(static_cast<std::size_t>(of));
}

status::status(rpc::metrics::registry& measured)
  : writes_{measured.add_counter("mistify_cluster_writes_total", "Keys written or removed in etcd.")},
    keepalives_{measured.add_counter("mistify_cluster_keepalives_total", "Times the lease was kept.")},
    lost_leases_{measured.add_counter("mistify_cluster_lost_leases_total", "Leases that expired or were revoked.")},
    failures_{measured.add_counter("mistify_cluster_failures_total", "Times etcd did not serve.")},
    resyncs_{measured.add_counter("mistify_cluster_resyncs_total", "Times all keys of this host were listed.")} {
  for (const auto one : {standing::joining, standing::joined, standing::away, standing::refused, standing::left})
    measured.add_function(
      kind::gauge, "mistify_cluster_state", "Where the registration in the cluster stands: 1 for the present state.",
      [this, one] { return read().now == one ? 1.0 : 0.0; }, {{"state", std::string{to_string(one)}}});
  measured.add_function(kind::gauge, "mistify_cluster_left_alone",
                        "Keys of this host whose values are foreign or broken, and are left alone.",
                        [this] { return static_cast<double>(left_alone_.load()); });
}

bool status::set(standing now, std::string error) {
  const std::lock_guard lock{mutex_};
  const bool other = now != view_.now;
  if (!other && error == view_.error)
    return false;
  view_.error = std::move(error);
  if (other)
    view_.since = std::chrono::system_clock::now();
  view_.now = now;
  return true;
}

} // namespace mistify::actors::cluster
