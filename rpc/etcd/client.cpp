#include "rpc/etcd/client.hpp"

#include "rpc/etcd/v2_client.hpp"
#include "rpc/etcd/v3_client.hpp"

#include <utility>

namespace mistify::rpc::etcd {

std::unique_ptr<client> make_client(api version, client_settings settings) {
  if (version == api::v2)
    return std::make_unique<v2_client>(std::move(settings));
  return std::make_unique<v3_client>(std::move(settings));
}

} // namespace mistify::rpc::etcd
