#include "rpc/agents/examples/test_agent/test_agent.hpp"

#include "rpc/agents/examples/test_agent/changes.hpp"
#include "rpc/agents/examples/test_agent/guest_log.hpp"
#include "rpc/model/unmanaged.hpp"

#include <thread>

namespace mistify::agents {

namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string capitalised(std::string word) {
  word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  return word;
}

rpc::unmanaged_response made_up_domains() {
  rpc::unmanaged_domain one;
  one.id = "5d5b6a2e-6f0c-4b8e-9a53-0f4c7d1e2b39";
  one.name = "legacy";
  one.state = "running";
  one.memory = 1024;
  one.cpu = 2;
  one.disks = {{"vda", "/var/lib/libvirt/images/legacy.qcow2", "qcow2", 10240}};
  one.nics = {{"52:54:00:00:00:09", "default", "vnet9"}};
  one.adoptable = true;
  return {{one}};
}

} // namespace

test_agent::test_agent(const rpc::listen_at& where, std::chrono::milliseconds delay)
  : delay_{delay}, guests_{seconds_now}, server_{where} {
  serve_guests();
  serve_metrics();
  serve_images("", images_);
  serve_images("container", container_images_);
  serve_snapshots();
  serve_host();
}

template <class In, class Out, class F>
void test_agent::handle(const std::string& action, F f) {
  server_.handle<In, Out>("Test." + capitalised(action), [this, f = std::move(f)](const In& request) {
    std::this_thread::sleep_for(delay_);
    return f(request);
  });
}

void test_agent::serve_action(const std::string& method, const std::string& action) {
  handle<rpc::guest_request, rpc::guest_response>(method, [this, action](const rpc::guest_request& request) {
    auto answer = guests_.act(action, request);
    if (action == "delete")
      snapshots_.forget(request.guest.id);
    return answer;
  });
}

void test_agent::serve_guests() {
  for (const std::string action :
       {"create", "delete", "reboot", "restart", "poweroff", "shutdown", "start", "suspend", "resume", "hibernate"}) {
    serve_action(action, action);
    serve_action("container" + capitalised(action), action);
  }
  for (const std::string action : {"update", "attachDisk", "detachDisk", "resizeDisk", "attachNic", "detachNic"})
    for (const auto& method : {action, "container" + capitalised(action)})
      handle<rpc::guest_request, rpc::guest_response>(
        method, [action](const rpc::guest_request& request) { return change_guest(action, request); });
  for (const auto* method : {"pending", "containerPending"})
    handle<rpc::guest_request, no_pending_changes>(method,
                                                   [](const rpc::guest_request&) { return no_pending_changes{}; });
  serve_action("adopt", "adopt");
  handle<rpc::unmanaged_request, rpc::unmanaged_response>(
    "ListUnmanaged", [](const rpc::unmanaged_request&) { return made_up_domains(); });
  // Names from the original's example.
  const std::pair<const char*, const char*> older[] = {
    {"Run", "start"},
    {"CreateContainer", "create"},
    {"StartContainer", "start"},
    {"StopContainer", "poweroff"},
    {"RebootContainer", "reboot"},
    {"RestartContainer", "restart"},
    {"DeleteContainer", "delete"},
  };
  for (const auto& [method, action] : older)
    serve_action(method, action);
}

void test_agent::serve_metrics() {
  for (const auto& [method, type] : {std::pair{"CpuMetrics", "cpu"}, std::pair{"CPUMetrics", "cpu"},
                                     std::pair{"NicMetrics", "nic"}, std::pair{"DiskMetrics", "disk"}})
    handle<rpc::guest_metrics_request, rpc::guest_metrics_response>(
      method,
      [this, type = type](const rpc::guest_metrics_request& request) { return guests_.metrics(type, request); });
}

void test_agent::serve_images(const std::string& prefix, images& of) {
  using method = std::function<rpc::image_response(const rpc::image_request&)>;
  const std::pair<const char*, method> methods[] = {
    {"ListImages", [&of](const rpc::image_request& r) { return of.list(r); }},
    {"GetImage", [&of](const rpc::image_request& r) { return of.get(r); }},
    {"FetchImage", [&of](const rpc::image_request& r) { return of.fetch(r); }},
    {"RequestImage", [&of](const rpc::image_request& r) { return of.fetch(r); }},
    {"DeleteImage", [&of](const rpc::image_request& r) { return of.remove(r); }},
  };
  for (const auto& [name, f] : methods)
    handle<rpc::image_request, rpc::image_response>(prefix + name, f);
}

void test_agent::serve_snapshots() {
  using method = std::function<rpc::snapshot_response(const rpc::snapshot_request&)>;
  const std::pair<const char*, method> methods[] = {
    {"ListSnapshots", [this](const rpc::snapshot_request& r) { return snapshots_.list(r); }},
    {"GetSnapshot", [this](const rpc::snapshot_request& r) { return snapshots_.get(r); }},
    {"CreateSnapshot", [this](const rpc::snapshot_request& r) { return snapshots_.create(r); }},
    {"DeleteSnapshot", [this](const rpc::snapshot_request& r) { return snapshots_.remove(r); }},
    {"RollbackSnapshot", [this](const rpc::snapshot_request& r) { return snapshots_.rollback(r); }},
  };
  for (const auto& [name, f] : methods)
    handle<rpc::snapshot_request, rpc::snapshot_response>(name, f);
  server_.handle_http("/snapshots/download", [this](std::string_view body) { return download(body); });
  server_.handle_http("/guests/log", made_up_log);
}

/// A host that always has the same size.
void test_agent::serve_host() {
  handle<rpc::host_request, rpc::host_response>("HostInfo", [](const rpc::host_request&) {
    rpc::host_response answer;
    answer.host.cpu = {16, 2, "Imaginary CPU", {{0, 16, 65536, 49152}}};
    answer.host.memory = {65536, 49152, {{2, 0, 0}}};
    return answer;
  });
  handle<rpc::host_request, rpc::store_response>("StoreInfo", [](const rpc::host_request&) {
    return rpc::store_response{{{"imaginary", 1048576, 524288, 0}}};
  });
}

rpc::http_answer test_agent::download(std::string_view body) {
  std::this_thread::sleep_for(delay_);
  rpc::snapshot_request request;
  try {
    request = rpc::decode_snapshot_request(body);
  } catch (const rpc::failure& e) {
    return {.status = 400, .text = e.message()};
  }
  try {
    const auto found = snapshots_.get(request).snapshots.at(0);
    return {.stream = [found](const rpc::http_answer::sink& write) { return snapshots::write_data(found, write); },
            .length = static_cast<std::int64_t>(found.size * 1024 * 1024)};
  } catch (const std::exception&) {
    return {.status = 404, .text = "not found"};
  }
}

} // namespace mistify::agents
