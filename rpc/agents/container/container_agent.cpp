#include "rpc/agents/container/container_agent.hpp"

#include "rpc/agents/container/container_metrics.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/folder_lock.hpp"
#include "rpc/fetch/url_reader.hpp"

#include <stdexcept>
#include <string_view>
#include <utility>

namespace mistify::agents::container {

namespace {

/// The code that the agent's clients see beside the text.
rpc::errc code_of(std::string_view text) {
  if (text.starts_with("conflict: "))
    return rpc::errc::sub_agent_conflict;
  if (text.starts_with("in use: "))
    return rpc::errc::sub_agent_in_use;
  return text.starts_with("not found: ") || text.starts_with("no such image: ") ? rpc::errc::sub_agent_not_found
                                                                                : rpc::errc::sub_agent_failed;
}

/// Runs `work`, whose errors get codes. What the engine says stays as it is: the agent knows some of its texts.
template <class Work>
auto with_codes(Work work) {
  try {
    return work();
  } catch (const engine_away& e) {
    throw rpc::failure{rpc::errc::sub_agent_unreachable, e.what()};
  } catch (const engine_error&) {
    throw;
  } catch (const fetching::source_refused& e) {
    throw rpc::failure{rpc::errc::sub_agent_refused, e.what()};
  } catch (const std::invalid_argument& e) {
    throw rpc::failure{rpc::errc::sub_agent_refused, e.what()};
  } catch (const std::runtime_error& e) {
    const auto code = code_of(e.what());
    if (code == rpc::errc::sub_agent_failed)
      throw;
    throw rpc::failure{code, e.what()};
  }
}

/// Before anything is swept: it may be what another one works on.
rpc::unique_fd locked(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  return rpc::lock_folder(folder);
}

} // namespace

container_agent::container_agent(const rpc::listen_at& where, const container_settings& settings)
  : lock_{locked(settings.folder)}, engine_{settings.engine}, marks_{settings.folder / "guests"},
    containers_{engine_, marks_, settings.rules}, images_{engine_, settings.folder, settings.fetching},
    log_{containers_, engine_}, server_{where} {
  serve_containers();
  serve_images();
  serve_metrics();
  server_.handle_http("/guests/log", [this](std::string_view body) { return log_.answer(body); });
  if (!settings.agent.url.empty())
    reporter_.emplace(engine_, containers_, marks_, settings.agent);
}

void container_agent::serve_containers() {
  using method = rpc::guest_response (containers::*)(const container_call&);
  const std::pair<const char*, method> methods[] = {
    {"CreateContainer", &containers::create},   {"RunContainer", &containers::run},
    {"StartContainer", &containers::start},     {"StopContainer", &containers::stop},
    {"RestartContainer", &containers::restart}, {"RebootContainer", &containers::reboot},
    {"PauseContainer", &containers::pause},     {"UnpauseContainer", &containers::unpause},
    {"DeleteContainer", &containers::remove},
  };
  for (const auto& [name, m] : methods)
    server_.handle<container_call, rpc::guest_response>(
      std::string{"MDocker."} + name,
      [this, m = m](const container_call& call) { return with_codes([&] { return (containers_.*m)(call); }); });
  serve_text("ListContainers", [this](std::string_view params) { return containers_.list(params); });
  serve_text("GetContainer", [this](std::string_view params) { return containers_.get(params); });
  serve_text("SaveContainer", [this](std::string_view params) {
    return rpc::encode(containers_.save(rpc::json::document::parse(params).root()));
  });
  serve_text("GetInfo", [this](std::string_view) { return engine_.get("/info").root().text(); });
}

void container_agent::serve_text(const std::string& method, std::function<std::string(std::string_view params)> f) {
  server_.handle_raw("MDocker." + method,
                     [f = std::move(f)](std::string_view params) { return with_codes([&] { return f(params); }); });
}

void container_agent::serve_images() {
  using method = rpc::image_response (image_store::*)(const rpc::image_request&);
  const std::pair<const char*, method> methods[] = {
    {"ListImages", &image_store::list}, {"GetImage", &image_store::get}, {"DeleteImage", &image_store::remove}};
  for (const auto& [name, m] : methods)
    server_.handle<rpc::image_request, rpc::image_response>(
      std::string{"MDocker."} + name,
      [this, m = m](const rpc::image_request& request) { return with_codes([&] { return (images_.*m)(request); }); });
  server_.handle<rpc::image_request, rpc::image_response>(
    "MDocker.LoadImage", [this](const rpc::image_request& request, const rpc::asker& who) {
      return with_codes([&] { return images_.load(request, who); });
    });
}

void container_agent::serve_metrics() {
  const std::pair<const char*, decltype(&cpu_metrics)> methods[] = {
    {"CPUMetrics", cpu_metrics}, {"DiskMetrics", disk_metrics}, {"NicMetrics", nic_metrics}};
  for (const auto& [name, m] : methods)
    server_.handle<rpc::guest_metrics_request, rpc::guest_metrics_response>(
      std::string{"MDocker."} + name, [this, m = m](const rpc::guest_metrics_request& request) {
        return with_codes([&] { return m(containers_, engine_, request); });
      });
}

} // namespace mistify::agents::container
