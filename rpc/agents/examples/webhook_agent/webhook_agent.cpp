#include "rpc/agents/examples/webhook_agent/webhook_agent.hpp"

#include <condition_variable>
#include <httplib.h>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace mistify::agents {

namespace {

std::string arg_or(const rpc::metadata_map& args, std::string_view key, std::string otherwise) {
  const auto at = args.find(key);
  return at == args.end() || at->second.empty() ? otherwise : at->second;
}

/// Adds the colons that chat services need.
std::string emoji_of(const rpc::metadata_map& args) {
  std::string_view name = args.contains("emoji") ? std::string_view{args.find("emoji")->second} : std::string_view{};
  if (name.starts_with(':'))
    name.remove_prefix(1);
  if (name.ends_with(':'))
    name.remove_suffix(1);
  return ':' + std::string{name.empty() ? "rainbow" : name} + ':';
}

/// Stops `client` after a time unless it is destroyed earlier: cpp-httplib bounds single reads only.
class time_limit {
public:
  time_limit(httplib::Client& client, std::chrono::milliseconds time)
    : thread_{[this, &client, time](const std::stop_token& done) {
        std::unique_lock lock{mutex_};
        if (!wake_.wait_for(lock, done, time, [&] { return done.stop_requested(); }) && !done.stop_requested())
          client.stop();
      }} {}

private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_; // last: it uses the members above, and its destructor stops and joins it
};

void post(const webhook_url& url, std::chrono::milliseconds timeout, const std::string& text) {
  httplib::Client client{url.origin};
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  client.set_write_timeout(timeout);
  httplib::Request request;
  request.method = "POST";
  request.path = url.target;
  request.body = text;
  request.headers = {{"Content-Type", "application/json"}};
  // Discards the answer's body.
  request.content_receiver = [](const char*, std::size_t, std::uint64_t, std::uint64_t) { return true; };

  httplib::Response response;
  auto error = httplib::Error::Success;
  const time_limit limit{client, timeout};
  if (!client.send(request, response, error))
    throw std::runtime_error{"webhook failed: " + httplib::to_string(error)};
  if (response.status >= 400)
    throw std::runtime_error{"webhook answered HTTP status " + std::to_string(response.status)};
}

} // namespace

webhook_url parse_webhook_url(const std::string& url) {
  const auto scheme = url.find("://");
  const auto name = url.substr(0, scheme == url.npos ? 0 : scheme);
  if (name != "http" && name != "https")
    throw std::invalid_argument{"endpoint must be an http or https URL: " + url};
  const auto host = scheme + 3;
  const auto target = url.find_first_of("/?#", host);
  if (host == url.size() || target == host)
    throw std::invalid_argument{"endpoint has no host: " + url};
  if (target == url.npos)
    return {url, "/"};
  const auto rest = url.substr(target, url.find('#', target) - target);
  return {url.substr(0, target), rest.starts_with('/') ? rest : std::string{'/'}.append(rest)};
}

std::string webhook_text(const rpc::guest_request& request) {
  const auto action = request.action.empty() ? std::string{"unknown"} : request.action;
  rpc::json::writer w;
  w.begin_object();
  w.key("text").value(arg_or(request.args, "text", action + " called on " + request.guest.id));
  w.key("icon_emoji").value(emoji_of(request.args));
  w.key("username").value(arg_or(request.args, "name", "mistify-webhook-post"));
  w.end_object();
  return std::move(w).str();
}

webhook_agent::webhook_agent(const rpc::listen_at& where, const std::string& url, std::chrono::milliseconds timeout)
  : server_{where} {
  server_.handle<rpc::guest_request, rpc::guest_response>(
    "Webhook.Post", [to = parse_webhook_url(url), timeout](const rpc::guest_request& request) {
      post(to, timeout, webhook_text(request));
      return rpc::guest_response{request.guest};
    });
}

} // namespace mistify::agents
