#include "store/host_table.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "store/jobs.hpp"

namespace mistify::store {

namespace {

constexpr std::string_view maintenance_key = "maintenance";

} // namespace

host_table::host_table(const database& db)
  : find_{db, "SELECT value FROM host WHERE key = ?"},
    put_{db, "INSERT INTO host (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
    erase_{db, "DELETE FROM host WHERE key = ?"} {}

std::optional<std::string> host_table::find(std::string_view key) {
  auto row = find_(key);
  return row.next() ? std::optional{row.text(0)} : std::nullopt;
}

void host_table::put(std::string_view key, std::string_view value) {
  put_.run(key, value);
}

void host_table::erase(std::string_view key) {
  erase_.run(key);
}

maintenance host_table::maintenance() {
  const auto text = find(maintenance_key);
  if (!text)
    return {};
  try {
    const auto document = rpc::json::document::parse(*text);
    const auto* reason = document.root().find("reason");
    const auto* since = document.root().find("since");
    return {true, reason ? reason->as_string("reason") : std::string{},
            from_column(since ? since->as_int("since") : 0)};
  } catch (const rpc::failure&) { // a hand changed it: it was on, and nobody has taken it back
    return {true, {}, {}};
  }
}

void host_table::put(const store::maintenance& now) {
  if (!now.on)
    return erase(maintenance_key);
  rpc::json::writer out;
  out.begin_object().key("reason").value(now.reason).key("since").value(to_column(now.since)).end_object();
  put(maintenance_key, out.str());
}

} // namespace mistify::store
