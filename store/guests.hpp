#pragma once

#include "store/guest_index.hpp"
#include "store/journal.hpp"
#include "store/sqlite.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mistify::store {

/// The answer that a guest's create got, and what identifies the request that got it.
struct first_create {
  std::string digest;
  queued_job answer;
};

/// The writer's view of the tables `guests` and `creates`. Throws `failure{storage_failed}`.
class guest_table {
public:
  explicit guest_table(const database& db);

  void insert(const stored_guest& guest); ///< one that came otherwise than by a create
  void insert(const stored_guest& guest, const rpc::job& create, std::string_view digest);
  void replace(const stored_guest& guest);
  void erase(std::string_view id);

  /// Nothing for a guest that came otherwise than by a create.
  std::optional<first_create> find_create(std::string_view id);

private:
  statement insert_, insert_create_, replace_, erase_, erase_create_, find_create_;
};

/// The writer's view of the table `metadata`, the hypervisor's. Throws `failure{storage_failed}`.
class metadata_table {
public:
  explicit metadata_table(const database& db);

  rpc::metadata_map all();

  /// Writes what differs between `before`, which is what the table holds, and `after`.
  void change(const rpc::metadata_map& before, const rpc::metadata_map& after);

private:
  statement all_, put_, erase_;
};

} // namespace mistify::store
