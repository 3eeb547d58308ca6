#pragma once

#include "rpc/base/error.hpp"
#include "rpc/etcd/client.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mistify::test {

/// An etcd in memory, which time does not pass in: leases end when the test says so.
class memory_etcd {
public:
  std::map<std::string, rpc::etcd::entry> keys;
  std::set<std::int64_t> leases;
  std::vector<rpc::etcd::event> log;
  std::int64_t revision = 1, last_lease = 0;
  std::size_t writes = 0, keepalives = 0, lists = 0, gets = 0;
  bool down = false;
  bool compacted = false;               ///< the next `wait` of a watch says so
  std::function<void()> before_write{}; ///< called once
  std::string keeps = {};               ///< the prefix that `remove_all` fails for

  void put(const std::string& key, const std::string& value, std::int64_t lease = 0) {
    keys[key] = {key, value, ++revision, lease};
    log.push_back({keys[key], false});
  }
  void erase(const std::string& key) {
    if (keys.erase(key) > 0)
      log.push_back({{key, "", ++revision, 0}, true});
  }
  void end_lease(std::int64_t lease) {
    leases.erase(lease);
    std::vector<std::string> gone;
    for (const auto& [key, one] : keys)
      if (one.lease == lease)
        gone.push_back(key);
    for (const auto& key : gone)
      erase(key);
  }
  void end_all_leases() {
    for (const auto lease : std::set{leases})
      end_lease(lease);
  }
  std::optional<std::string> value(const std::string& key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? std::nullopt : std::optional{found->second.value};
  }
};

class memory_client : public rpc::etcd::client {
public:
  explicit memory_client(memory_etcd& in) : in_{in} {}

  rpc::etcd::listing list(std::string_view prefix) override {
    serve();
    ++in_.lists;
    rpc::etcd::listing out{in_.revision, {}};
    for (const auto& [key, one] : in_.keys)
      if (key.starts_with(prefix))
        out.entries.push_back(one);
    return out;
  }
  std::optional<rpc::etcd::entry> get(std::string_view key) override {
    serve();
    ++in_.gets;
    const auto found = in_.keys.find(std::string{key});
    return found == in_.keys.end() ? std::nullopt : std::optional{found->second};
  }
  std::optional<std::int64_t> write(const rpc::etcd::change& what) override {
    serve();
    if (const auto first = std::exchange(in_.before_write, nullptr))
      first();
    const auto found = in_.keys.find(what.key);
    const auto is = found == in_.keys.end() ? 0 : found->second.revision;
    if (what.expected && *what.expected != is)
      return std::nullopt;
    if (what.leased && !in_.leases.contains(lease_))
      throw rpc::failure{rpc::errc::not_found, "requested lease not found"};
    ++in_.writes;
    if (what.value)
      in_.put(what.key, *what.value, what.leased ? lease_ : 0);
    else
      in_.erase(what.key);
    return in_.revision;
  }
  std::int64_t write_all(std::span<const rpc::etcd::change> all) override {
    for (const auto& one : all)
      write(one);
    return in_.revision;
  }
  void remove_all(std::string_view prefix) override {
    serve();
    if (prefix == in_.keeps)
      throw rpc::failure{rpc::errc::deadline_exceeded, "http://etcd:2379: timeout"};
    std::vector<std::string> gone;
    for (const auto& [key, one] : in_.keys)
      if (key.starts_with(prefix))
        gone.push_back(key);
    for (const auto& key : gone)
      in_.erase(key);
  }
  void open_lease(std::chrono::seconds) override {
    serve();
    in_.leases.insert(lease_ = ++in_.last_lease);
  }
  bool keep_lease() override {
    serve();
    ++in_.keepalives;
    return in_.leases.contains(lease_);
  }
  void close_lease() override {
    serve();
    in_.end_lease(std::exchange(lease_, 0));
  }
  std::int64_t lease() const noexcept override { return lease_; }
  bool is_ours(const rpc::etcd::entry& what) const override { return lease_ != 0 && what.lease == lease_; }
  void watch(const std::vector<std::string>& prefixes, std::int64_t from) override {
    serve();
    prefixes_ = prefixes;
    from_ = from;
  }
  rpc::etcd::news wait(std::chrono::milliseconds) override {
    rpc::etcd::news out;
    if (prefixes_.empty())
      return out;
    if (in_.down || in_.compacted) {
      out.state =
        std::exchange(in_.compacted, false) ? rpc::etcd::news::condition::compacted : rpc::etcd::news::condition::lost;
      prefixes_.clear();
      return out;
    }
    for (const auto& one : in_.log)
      if (one.what.revision >= from_ &&
          std::ranges::any_of(prefixes_, [&](const auto& p) { return one.what.key.starts_with(p); }))
        out.events.push_back(one);
    from_ = in_.revision + 1;
    return out;
  }
  void wake() noexcept override {}
  void cancel(bool) noexcept override {}

private:
  void serve() const {
    if (in_.down)
      throw rpc::failure{rpc::errc::unavailable, "http://etcd:2379: connection refused"};
  }

  memory_etcd& in_;
  std::int64_t lease_ = 0;
  std::vector<std::string> prefixes_;
  std::int64_t from_ = 0;
};

} // namespace mistify::test
