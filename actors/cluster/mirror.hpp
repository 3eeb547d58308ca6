#pragma once

#include "rpc/etcd/client.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::actors::cluster {

/// What is true: the keys of this host as etcd has them, kept up to date by a watch and by the own writes. For one
/// thread.
class mirror {
public:
  void reset(rpc::etcd::listing host, rpc::etcd::listing agent) {
    entries_.clear();
    // A watch from the older of both lists brings some changes again, which are older than the entries then.
    revision_ = std::min(host.revision, agent.revision);
    for (auto* all : {&host.entries, &agent.entries})
      for (auto& one : *all)
        put(std::move(one));
  }

  /// The last revision that is known to be in here.
  std::int64_t revision() const noexcept { return revision_; }

  const rpc::etcd::entry* find(std::string_view key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }

  /// The revision that a key has to have for a write to overwrite what is known of it.
  std::int64_t expected(std::string_view key) const {
    const auto* known = find(key);
    return known ? known->revision : 0;
  }

  /// The names of all keys in a folder, without it.
  std::vector<std::string> names_in(const std::string& folder) const {
    std::vector<std::string> out;
    for (auto at = entries_.lower_bound(folder); at != entries_.end() && at->first.starts_with(folder); ++at)
      if (auto name = at->first.substr(folder.size()); name.find('/') == name.npos)
        out.push_back(std::move(name));
    return out;
  }

  void put(rpc::etcd::entry one) {
    auto key = one.key;
    entries_.insert_or_assign(std::move(key), std::move(one));
  }
  void erase(std::string_view key) {
    if (const auto found = entries_.find(key); found != entries_.end())
      entries_.erase(found);
  }

  /// Takes a change over, unless it is older than what is known.
  void take(const rpc::etcd::event& change) {
    revision_ = std::max(revision_, change.what.revision);
    const auto* known = find(change.what.key);
    if (known && known->revision >= change.what.revision)
      return;
    if (change.removed)
      erase(change.what.key);
    else
      put(change.what);
  }

private:
  std::map<std::string, rpc::etcd::entry, std::less<>> entries_;
  std::int64_t revision_ = 0;
};

} // namespace mistify::actors::cluster
