#include "store/instance.hpp"

#include "store/sqlite.hpp"

namespace mistify::store {

std::string instance_of(const std::string& path) {
  database db{path, database::access::read_only};
  return db.text("SELECT id FROM instance");
}

} // namespace mistify::store
