#pragma once

#include "rpc/etcd/client.hpp"
#include "rpc/etcd/requester.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mistify::rpc::etcd {

/// The v2 API, which the original's programs use: etcd 3.4 with `--enable-v2`. It has no leases: the keys of one have a
/// time to live each, which `keep_lease` refreshes.
class v2_client final : public client {
public:
  explicit v2_client(client_settings settings);

  listing list(std::string_view prefix) override;
  std::optional<entry> get(std::string_view key) override;
  std::optional<std::int64_t> write(const change& what) override;
  std::int64_t write_all(std::span<const change> all) override;
  void remove_all(std::string_view prefix) override;
  void open_lease(std::chrono::seconds ttl) override;
  bool keep_lease() override;
  void close_lease() override;
  std::int64_t lease() const noexcept override { return ttl_.count(); }
  bool is_ours(const entry& what) const override;
  void watch(const std::vector<std::string>& prefixes, std::int64_t from) override;
  news wait(std::chrono::milliseconds longest) override;
  void wake() noexcept override { requests_.session().wake(); }
  void cancel(bool now) noexcept override { requests_.session().cancel(now); }

private:
  struct poll {
    std::string prefix;
    std::int64_t from = 0;
    std::uint64_t stream = 0;
    std::string body;
  };

  http_reply send(std::string_view method, const std::string& path, const std::string& form);
  [[noreturn]] void fail(const http_reply& reply) const;
  std::string form_of(const change& what) const;
  void begin(poll& one);
  void read(poll& one, news& to);
  void read_answer(poll& one, long status, news& to) const;
  void end_watch();

  requester requests_;
  const std::size_t max_answer_; // of a poll in all, as of a request
  std::vector<std::string> headers_;
  std::chrono::seconds ttl_{0}; // of the present lease; 0: none
  std::map<std::string, std::string, std::less<>> leased_;
  std::vector<poll> polls_;
};

} // namespace mistify::rpc::etcd
