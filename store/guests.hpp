#pragma once

#include "store/guest_index.hpp"
#include "store/journal.hpp"
#include "store/sqlite.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mistify::store {

/// The first response to a guest's create, and the digest of the request.
struct first_create {
  std::string digest;
  queued_job answer;
};

/// The writer's view of the tables `guests` and `creates`. Throws `failure{storage_failed}`.
class guest_table {
public:
  explicit guest_table(const database& db);

  void insert(const stored_guest& guest); ///< a guest without a create
  void insert(const stored_guest& guest, const rpc::job& create, std::string_view digest);
  void replace(const stored_guest& guest);
  void erase(std::string_view id);

  /// Null for a guest that was not added by a create.
  std::optional<first_create> find_create(std::string_view id);

private:
  statement insert_, insert_create_, replace_, erase_, erase_create_, find_create_;
};

/// The writer's view of the table `metadata`, the hypervisor's. Throws `failure{storage_failed}`.
class metadata_table {
public:
  explicit metadata_table(const database& db);

  rpc::metadata_map all();

  /// Writes the differences between `before`, the table's content, and `after`.
  void change(const rpc::metadata_map& before, const rpc::metadata_map& after);

private:
  statement all_, put_, erase_;
};

} // namespace mistify::store
