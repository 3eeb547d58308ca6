#include "rpc/agents/libvirt/guest_log.hpp"

#include "rpc/agents/libvirt/console_log.hpp"
#include "rpc/base/error.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>

namespace mistify::agents {

namespace {

bool is_conflict(const std::runtime_error& e) {
  return std::string_view{e.what()}.starts_with("conflict: ");
}

} // namespace

rpc::http_answer guest_log::answer(std::string_view body) const {
  try {
    return open(rpc::decode_log_request(body));
  } catch (const std::invalid_argument& e) {
    return {.status = 400, .text = e.what()};
  } catch (const rpc::failure& e) {
    return {.status = e.code() == rpc::errc::invalid_request ? 400 : 500, .text = e.message()};
  } catch (const std::runtime_error& e) {
    return {.status = is_conflict(e) ? 409 : 500, .text = e.what()};
  }
}

rpc::http_answer guest_log::open(const rpc::log_request& what) const {
  if (!is_there_(what))
    return {.status = 404, .text = "the guest has no machine"};
  const auto log = std::make_shared<console_log>(folder_, what.guest);
  return {.stream = [this, what, log](const rpc::byte_sink& to) {
    // What is left out is not read; what is not written yet is left out later.
    const auto start = what.tail ? log->start_of_last(*what.tail, to) : std::min(what.offset, log->size());
    if (!start)
      return false;
    auto rest = what;
    rest.offset = what.tail ? 0 : what.offset - *start;
    rpc::byte_window window{rest, to};
    const auto add = [&](std::string_view bytes) { return window.add(bytes); };
    bool more = what.limit != 0U && log->pass_on(*start, add);
    for (int look = 1; more && what.follow && to({}); ++look) {
      if (look % pace_.looks_a_check == 0 && !has_machine(what))
        break;
      std::this_thread::sleep_for(pace_.look);
      more = log->pass_on_new(add);
    }
    return !window.receiver_left();
  }};
}

/// While libvirtd is away a machine counts as there. One that another's domain took the place of is gone.
bool guest_log::has_machine(const rpc::log_request& what) const {
  try {
    return is_there_(what);
  } catch (const std::runtime_error& e) {
    return !is_conflict(e);
  } catch (const std::exception&) {
    return true;
  }
}

} // namespace mistify::agents
