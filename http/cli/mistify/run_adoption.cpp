#include "http/cli/mistify/context.hpp"
#include "http/cli/mistify/errors.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/guest_body.hpp"
#include "http/cli/mistify/listing.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/runs.hpp"
#include "http/cli/mistify/screen.hpp"
#include "http/cli/mistify/waiting.hpp"

namespace mistify::cli {

int list_unmanaged(context& cx) {
  const auto how = cx.output(format::table, {"id", "name", "state", "memory", "cpu", "adoptable", "reason"});
  const auto got = cx.agent().unmanaged();
  const auto list = client::decode<rpc::json::document>(got.body);
  rows shown;
  for (const rpc::json::node& one : list.root().items("domains"))
    shown.emplace_back(one);
  print_rows("domain", shown, how);
  return code(status::done);
}

int adopt_domain(context& cx) {
  const auto id = unmanaged_id(cx, cx.args.text("DOMAIN"));
  const auto made = cx.agent().adopt(adopt_body(cx.args, id));
  print_line(id);
  flush_output(); // a script that ends the wait knows the guest
  error_list errors;
  if (cx.args.has("--wait"))
    wait_for_all(cx, {{"adopt " + cx.args.text("DOMAIN"), made.job}}, errors);
  return errors.finish();
}

} // namespace mistify::cli
