#include "fake_engine.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace mistify::test {

namespace {

namespace json = rpc::json;

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  return out;
}

std::string parameter(const std::string& query, const std::string& name) {
  const auto at = ("&" + query).find('&' + name + '=');
  if (at == std::string::npos)
    return {};
  const auto begin = at + name.size() + 1;
  return decoded(query.substr(begin, query.find('&', begin) - begin));
}

std::string text_at(const json::node& of, std::initializer_list<std::string_view> path) {
  const auto* at = &of;
  for (const auto name : path)
    if (!(at = at->find(name)))
      return {};
  return at->type() == json::node::kind::string ? at->as_string("") : std::string{};
}

engine_reply message(int status, const std::string& text) {
  json::writer w;
  w.begin_object().key("message").value(text).end_object();
  return {status, std::move(w).str()};
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string chunk(std::string_view bytes) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string{bytes} + "\r\n";
}

constexpr std::string_view stream_head =
  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

} // namespace

fake_engine::fake_engine(std::string socket, bool podman) : socket_{std::move(socket)}, podman_{podman} {
  listen();
}

fake_engine::~fake_engine() {
  go_away();
}

void fake_engine::listen() {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strncpy(to.sun_path, socket_.c_str(), sizeof to.sun_path - 1);
  ::unlink(socket_.c_str());
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 || ::listen(fd, 64) != 0)
    throw std::runtime_error{"the fake engine cannot listen"};
  listener_ = fd;
  away_ = false;
  acceptor_ = std::thread{[this] { accept_all(); }};
}

void fake_engine::accept_all() {
  for (;;) {
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0)
      return;
    const std::lock_guard lock{mutex_};
    sockets_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void fake_engine::go_away() {
  away_ = true;
  const int fd = listener_.exchange(-1);
  if (fd < 0)
    return;
  ::shutdown(fd, SHUT_RDWR);
  ::unlink(socket_.c_str());
  acceptor_.join();
  ::close(fd);
  std::list<std::thread> ending;
  {
    const std::lock_guard lock{mutex_};
    for (const int s : sockets_)
      ::shutdown(s, SHUT_RDWR);
    ending.swap(threads_);
  }
  for (auto& t : ending)
    t.join();
  sockets_.clear();
  watchers_.clear();
}

void fake_engine::come_back() {
  listen();
}

void fake_engine::set_trouble(std::function<std::optional<engine_reply>(const engine_call&)> f) {
  const std::lock_guard lock{mutex_};
  trouble_ = std::move(f);
}

/// Reads requests with Content-Length, as the sub-agent sends them.
void fake_engine::serve(int socket) {
  std::string buffer;
  char part[65536];
  const auto more = [&] {
    const auto got = ::recv(socket, part, sizeof part, 0);
    if (got > 0)
      buffer.append(part, static_cast<std::size_t>(got));
    return got > 0;
  };
  for (bool going = true; going && !away_;) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos && (going = more())) {
    }
    if (!going)
      break;
    const auto head = buffer.substr(0, end + 2);
    const auto length_at = head.find("Content-Length: ");
    const auto length = length_at == head.npos ? 0 : std::stoul(head.substr(length_at + 16));
    while (buffer.size() < end + 4 + length && (going = more())) {
    }
    engine_call call;
    call.method = head.substr(0, head.find(' '));
    auto target = head.substr(call.method.size() + 1);
    target = target.substr(0, target.find(' '));
    const auto mark = target.find('?');
    call.query = mark == target.npos ? "" : target.substr(mark + 1);
    call.path = decoded(target.substr(0, mark));
    call.path.erase(0, call.path.find('/', 1)); // the version
    call.body = buffer.substr(end + 4, length);
    buffer.erase(0, std::min(buffer.size(), end + 4 + length));
    going = going && answer(socket, call);
  }
  const std::lock_guard lock{mutex_};
  std::erase(watchers_, socket);
  std::erase(sockets_, socket);
  ::close(socket);
}

/// Puts the name of a container in the place of its id.
void fake_engine::name_container(engine_call& call) const {
  constexpr std::size_t prefix = 12, length = 64; // "/containers/"
  if (!call.path.starts_with("/containers/"))
    return;
  const auto id = call.path.substr(prefix, call.path.find('/', prefix) - prefix);
  if (id.size() != length)
    return;
  call.id = id;
  for (const auto& [name, c] : containers_)
    if (c.id == id)
      return void(call.path.replace(prefix, length, name));
}

/// False: the connection is over.
bool fake_engine::answer(int socket, engine_call call) {
  std::function<std::optional<engine_reply>(const engine_call&)> trouble;
  {
    const std::lock_guard lock{mutex_};
    name_container(call);
    seen_.push_back(call);
    trouble = trouble_;
  }
  std::optional<engine_reply> reply;
  if (trouble)
    reply = trouble(call);
  if (!reply && call.path == "/events") {
    stream_events(socket);
    return true;
  }
  if (!reply) {
    const std::lock_guard lock{mutex_};
    reply = reply_to(call);
  }
  if (!reply->raw.empty() || reply->then) {
    send_all(socket, reply->raw);
    if (reply->then)
      reply->then(socket);
    return false;
  }
  return send_all(socket, "HTTP/1.1 " + std::to_string(reply->status) +
                            " X\r\nContent-Length: " + std::to_string(reply->body.size()) + "\r\n\r\n" + reply->body);
}

/// The head leaves at once; events follow from other threads, until the connection ends.
void fake_engine::stream_events(int socket) {
  const std::lock_guard lock{mutex_};
  send_all(socket, stream_head);
  watchers_.push_back(socket);
}

void fake_engine::emit(const std::string& action, const std::string& name, const container& c) {
  json::writer w;
  w.begin_object().key("Type").value("container").key("Action").value(action);
  w.key("Actor").begin_object().key("ID").value(c.id).key("Attributes").begin_object();
  w.key("name").value(name);
  if (!c.guest.empty())
    w.key("mistify.guest").value(c.guest);
  w.end_object().end_object().end_object();
  for (const int s : watchers_)
    send_all(s, chunk(w.str() + '\n'));
}

std::string fake_engine::now() {
  char text[64];
  std::snprintf(text, sizeof text, "2026-01-01T00:%02d:%02d.000000001Z", clock_ / 60, clock_ % 60);
  ++clock_;
  return text;
}

// -- the API ---------------------------------------------------------------------------------------------------------

engine_reply fake_engine::reply_to(const engine_call& call) {
  if (call.path.starts_with("/containers/"))
    return containers_reply(call);
  if (call.path.starts_with("/images/") || call.path == "/commit")
    return images_reply(call);
  if (call.path.starts_with("/volumes"))
    return volumes_reply(call);
  if (call.path == "/info")
    return {200, R"({"ServerVersion":"20.10"})"};
  if (call.path.starts_with("/networks/") && call.path.ends_with("/connect")) {
    const auto id = text_at(json::document::parse(call.body).root(), {"Container"});
    const auto found = std::ranges::find_if(containers_, [&](const auto& row) { return row.second.id == id; });
    if (found == containers_.end())
      return message(404, "No such container: " + id);
    found->second.networks.push_back(call.path.substr(10, call.path.size() - 18));
    return {200, ""};
  }
  if (call.path == "/networks/bridge" || call.path == "/networks/lan")
    return {200, R"({"Name":")" + call.path.substr(10) + R"(","Id":"b0","Driver":"bridge"})"};
  if (call.path == "/networks/host" || call.path == "/networks/4057")
    return {200, R"({"Name":"host","Id":"4057a1","Driver":"host"})"};
  if (call.path == "/networks/1a2b")
    return {200, R"({"Name":"other","Id":"1a2b3c","Driver":"bridge"})"};
  return message(404, "page not found");
}

std::string fake_engine::inspect(const std::string& name, const container& c) const {
  const bool on = c.status == "running" || c.status == "paused";
  json::writer w;
  w.begin_object().key("Id").value(c.id).key("Name").value('/' + name);
  w.key("State").begin_object().key("Status").value(c.status).key("Running").value(on);
  w.key("Paused").value(c.status == "paused").key("OOMKilled").value(c.oom && !podman_);
  w.key("ExitCode").value(c.exit_code).key("StartedAt").value(c.started).key("FinishedAt").value(c.finished);
  w.end_object();
  const auto document = json::document::parse(c.body.empty() ? "{}" : c.body);
  w.key("Config").begin_object().key("Labels");
  const auto* labels = document.root().find("Labels");
  w.raw(labels ? labels->text() : "{}");
  w.key("StopSignal").value(podman_ ? "15" : "").key("StopTimeout").value(1).key("Tty").value(false).end_object();
  w.key("NetworkSettings").begin_object().key("Networks").begin_object();
  for (const auto& n : c.networks) {
    w.key(n).begin_object().key("MacAddress").value(on ? "02:42:ac:11:00:02" : "");
    w.key("IPAddress").value(on ? "172.17.0.2" : "").end_object();
  }
  w.end_object().end_object().end_object();
  return std::move(w).str();
}

engine_reply fake_engine::create(const engine_call& call) {
  const auto name = parameter(call.query, "name");
  if (containers_.contains(name))
    return message(podman_ ? 500 : 409, "Conflict. The container name \"/" + name + "\" is already in use");
  const auto document = json::document::parse(call.body);
  container c;
  char id[65];
  std::snprintf(id, sizeof id, "%064x", ++next_id_);
  c.id = id;
  c.body = call.body;
  c.guest = text_at(document.root(), {"Labels", "mistify.guest"});
  const auto network = text_at(document.root(), {"HostConfig", "NetworkMode"});
  if (network != "none")
    c.networks.push_back(network);
  emit("create", name, c);
  containers_[name] = std::move(c);
  return {201, R"({"Id":")" + std::string{id} + R"(","Warnings":[]})"};
}

engine_reply fake_engine::act(const engine_call& call, const std::string& name, const std::string& action) {
  auto& c = containers_.at(name);
  const bool on = c.status == "running" || c.status == "paused";
  const int wrong = podman_ ? 500 : 409;
  const auto stop = [&](int code) {
    c.status = "exited";
    c.exit_code = code;
    c.finished = now();
    emit("die", name, c);
  };
  if (action == "start") {
    if (on)
      return {304};
    c.status = "running";
    c.started = now();
    emit("start", name, c);
    return {204};
  }
  if (action == "stop") {
    if (!on)
      return {304};
    stop(parameter(call.query, "t") == "0" || c.ignores_term ? 137 : 0);
    return {204};
  }
  if (action == "kill") {
    if (!on)
      return message(wrong, "Container " + name + " is not running");
    if (!c.ignores_term)
      stop(0);
    return {204};
  }
  if (action == "pause") {
    if (c.status != "running")
      return message(wrong, "Container " + name + " is already paused, or not running");
    c.status = "paused";
    emit("pause", name, c);
    return {204};
  }
  if (c.status != "paused")
    return message(500, "Container " + name + " is not paused");
  c.status = "running";
  emit("unpause", name, c);
  return {204};
}

engine_reply fake_engine::containers_reply(const engine_call& call) {
  if (call.path == "/containers/create")
    return create(call);
  if (call.path == "/containers/json") {
    json::writer w;
    w.begin_array();
    for (const auto& [name, c] : containers_) {
      w.begin_object().key("Id").value(c.id).key("Names").begin_array().value('/' + name).end_array();
      w.key("ImageID").value(text_at(json::document::parse(c.body.empty() ? "{}" : c.body).root(), {"Image"}));
      w.key("Labels").begin_object();
      if (!c.guest.empty())
        w.key("mistify.guest").value(c.guest);
      w.end_object().end_object();
    }
    w.end_array();
    return {200, std::move(w).str()};
  }
  const auto rest = call.path.substr(12);
  const auto asked = rest.substr(0, rest.find('/'));
  const auto action = rest.size() > asked.size() ? rest.substr(asked.size() + 1) : "";
  const auto found = std::ranges::find_if(
    containers_, [&](const auto& row) { return call.id.empty() ? row.first == asked : row.second.id == call.id; });
  if (found == containers_.end())
    return message(404, "No such container: " + asked);
  const auto name = found->first;
  if (call.method == "DELETE") {
    emit("destroy", name, found->second);
    containers_.erase(found);
    return {204};
  }
  if (action == "json")
    return {200, inspect(name, found->second)};
  if (action == "logs")
    return {200, found->second.log};
  if (action == "stats")
    return {200,
            R"({"cpu_stats":{"cpu_usage":{"total_usage":1500000000}},)"
            R"("blkio_stats":{"io_service_bytes_recursive":[{"major":7999,"minor":3,"op":"Read","value":4096},)"
            R"({"major":7999,"minor":3,"op":"Write","value":8192},{"major":7999,"minor":3,"op":"Total","value":1}],)"
            R"("io_serviced_recursive":[{"major":7999,"minor":3,"op":"read","value":1},)"
            R"({"major":7999,"minor":3,"op":"write","value":2}]},)"
            R"("networks":{"eth0":{"rx_bytes":10,"rx_packets":1,"rx_errors":2,"rx_dropped":3,)"
            R"("tx_bytes":20,"tx_packets":4,"tx_errors":5,"tx_dropped":6}}})"};
  return act(call, name, action);
}

engine_reply fake_engine::images_reply(const engine_call& call) {
  const auto describe = [](const std::string& tag, const std::string& id) {
    json::writer w;
    w.begin_object().key("Id").value(id).key("Size").value(2'000'000);
    w.key("RepoTags").begin_array().value(tag).end_array().end_object();
    return std::move(w).str();
  };
  if (call.path == "/images/json") {
    json::writer w;
    w.begin_array();
    for (const auto& [tag, id] : images_)
      w.raw(describe(tag, id));
    w.end_array();
    return {200, std::move(w).str()};
  }
  if (call.path == "/images/load") {
    const auto at = call.body.find("\"RepoTags\":[\"");
    if (at == call.body.npos)
      return {200, R"({"errorDetail":{"message":"no manifest"},"error":"no manifest"})"};
    const auto begin = at + 13;
    images_[call.body.substr(begin, call.body.find('"', begin) - begin)] = "sha256:loaded";
    return {200, R"({"stream":"Loaded image"})"
                 "\n"};
  }
  if (call.path == "/images/create") {
    const auto tag = parameter(call.query, "fromImage") + ':' + parameter(call.query, "tag");
    if (tag.find("gone") != tag.npos)
      return {200, "{\"status\":\"Pulling\"}\n{\"errorDetail\":{\"message\":\"manifest unknown\"},\"error\":\"x\"}\n"};
    images_[tag] = "sha256:pulled";
    return {200, "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":1,\"total\":2}}\n"};
  }
  if (call.path == "/commit") {
    const auto wanted = podman_ ? "LABEL=mistify.guest= LABEL=mistify.shape=" : "LABEL mistify.guest=";
    if (parameter(call.query, "changes") != wanted)
      return message(500, "invalid change \"LABEL\"");
    images_[parameter(call.query, "repo") + ':' + parameter(call.query, "tag")] = "sha256:saved";
    return {201, R"({"Id":"sha256:saved"})"};
  }
  auto name = call.path.substr(8);
  for (const std::string ending : {"/json", "/tag"})
    if (name.ends_with(ending))
      name.resize(name.size() - ending.size());
  const auto found = images_.find(name);
  if (found == images_.end())
    return message(404, "No such image: " + name);
  if (call.path.ends_with("/tag")) {
    images_[parameter(call.query, "repo") + ':' + parameter(call.query, "tag")] = found->second;
    return {201};
  }
  if (call.method == "DELETE") {
    images_.erase(found);
    return {200, "[]"};
  }
  return {200, describe(found->first, found->second)};
}

engine_reply fake_engine::volumes_reply(const engine_call& call) {
  const auto describe = [](const std::string& name, const std::string& guest) {
    json::writer w;
    w.begin_object().key("Name").value(name).key("Labels");
    if (guest.empty())
      w.null();
    else
      w.begin_object().key("mistify.guest").value(guest).end_object();
    w.end_object();
    return std::move(w).str();
  };
  if (call.path == "/volumes/create") {
    const auto document = json::document::parse(call.body);
    const auto name = text_at(document.root(), {"Name"});
    volumes_[name] = text_at(document.root(), {"Labels", "mistify.guest"});
    return {201, describe(name, volumes_[name])};
  }
  if (call.path == "/volumes") {
    json::writer w;
    w.begin_object().key("Volumes").begin_array();
    for (const auto& [name, guest] : volumes_)
      w.raw(describe(name, guest));
    w.end_array().end_object();
    return {200, std::move(w).str()};
  }
  const auto found = volumes_.find(call.path.substr(9));
  if (found == volumes_.end())
    return message(404, "no such volume");
  if (call.method == "DELETE") {
    volumes_.erase(found);
    return {204};
  }
  return {200, describe(found->first, found->second)};
}

// -- what tests do ---------------------------------------------------------------------------------------------------

void fake_engine::with(const std::string& name, const std::function<void(container&)>& f) {
  const std::lock_guard lock{mutex_};
  f(containers_.at(name));
}

void fake_engine::end(const std::string& name, int exit_code, bool oom) {
  const std::lock_guard lock{mutex_};
  auto& c = containers_.at(name);
  c.status = "exited";
  c.exit_code = exit_code;
  c.oom = oom;
  c.finished = now();
  emit("die", name, c);
}

void fake_engine::vanish(const std::string& name) {
  const std::lock_guard lock{mutex_};
  emit("destroy", name, containers_.at(name));
  containers_.erase(name);
}

void fake_engine::put(const std::string& name, container c) {
  const std::lock_guard lock{mutex_};
  containers_[name] = std::move(c);
}

void fake_engine::rename(const std::string& name, const std::string& to) {
  const std::lock_guard lock{mutex_};
  auto node = containers_.extract(name);
  node.key() = to;
  const auto row = containers_.insert(std::move(node)).position;
  emit("rename", to, row->second);
}

void fake_engine::end_events() {
  const std::lock_guard lock{mutex_};
  for (const int socket : watchers_)
    ::shutdown(socket, SHUT_RDWR);
}

bool fake_engine::has(const std::string& name) const {
  const std::lock_guard lock{mutex_};
  return containers_.contains(name);
}

fake_engine::container fake_engine::get(const std::string& name) const {
  const std::lock_guard lock{mutex_};
  return containers_.at(name);
}

void fake_engine::put_image(const std::string& tag, const std::string& id) {
  const std::lock_guard lock{mutex_};
  images_[tag] = id;
}

bool fake_engine::has_image(const std::string& tag) const {
  const std::lock_guard lock{mutex_};
  return images_.contains(tag);
}

std::map<std::string, std::string> fake_engine::volumes() const {
  const std::lock_guard lock{mutex_};
  return volumes_;
}

void fake_engine::put_volume(const std::string& name, const std::string& guest) {
  const std::lock_guard lock{mutex_};
  volumes_[name] = guest;
}

std::vector<std::string> fake_engine::calls() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> all;
  for (const auto& c : seen_)
    all.push_back(c.method + ' ' + c.path);
  return all;
}

std::size_t fake_engine::count(const std::string& call) const {
  const auto all = calls();
  return static_cast<std::size_t>(std::ranges::count(all, call));
}

std::size_t fake_engine::count_by_id(const std::string& call) const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(std::ranges::count_if(
    seen_, [&](const engine_call& c) { return !c.id.empty() && c.method + ' ' + c.path == call; }));
}

std::string fake_engine::body_of(const std::string& call) const {
  const std::lock_guard lock{mutex_};
  for (auto at = seen_.rbegin(); at != seen_.rend(); ++at)
    if (at->method + ' ' + at->path == call)
      return at->body;
  return {};
}

std::string fake_engine::frame(char stream, std::string_view text) {
  std::string out{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(text.size() >> shift & 0xff);
  return out.append(text);
}

} // namespace mistify::test
