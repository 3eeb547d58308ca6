#pragma once

#include "rpc/etcd/client.hpp"
#include "rpc/etcd/requester.hpp"

#include <string>

namespace mistify::rpc::etcd {

/// The v3 API through the JSON gateway.
class v3_client final : public client {
public:
  explicit v3_client(client_settings settings);

  listing list(std::string_view prefix) override;
  std::optional<entry> get(std::string_view key) override;
  std::optional<std::int64_t> write(const change& what) override;
  std::int64_t write_all(std::span<const change> all) override;
  void remove_all(std::string_view prefix) override;
  void open_lease(std::chrono::seconds ttl) override;
  bool keep_lease() override;
  void close_lease() override;
  std::int64_t lease() const noexcept override { return lease_; }
  bool is_ours(const entry& what) const override { return lease_ != 0 && what.lease == lease_; }
  void watch(const std::vector<std::string>& prefixes, std::int64_t from) override;
  news wait(std::chrono::milliseconds longest) override;
  void wake() noexcept override { requests_.session().wake(); }
  void cancel(bool now) noexcept override { requests_.session().cancel(now); }

private:
  std::string post(std::string_view path, const std::string& body);
  http_reply post_once(std::string_view path, const std::string& body);
  std::vector<std::string> headers() const;
  void log_in();
  void end_watch();
  void note_end(const std::string& why, news& to);
  void read_lines(std::string_view bytes, news& to);

  const client_settings settings_;
  requester requests_;
  std::string token_;
  std::int64_t lease_ = 0;
  std::uint64_t stream_ = 0; // of the watch; 0: none
  std::string line_;         // of the watch, incomplete
};

} // namespace mistify::rpc::etcd
