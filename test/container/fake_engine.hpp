#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mistify::test {

/// A request as the fake engine read it.
struct engine_call {
  std::string method, path, query, body; ///< path without the version, percent-decoded
  std::string id = {};                   ///< by which the container was named; `path` has its name all the same

  bool is(std::string_view of_method, std::string_view ending) const {
    return method == of_method && path.ends_with(ending);
  }
};

/// What it answers: a status and a body; or bytes of any kind, sent as they are.
struct engine_reply {
  int status = 200;
  std::string body = {};
  std::string raw = {};                      ///< in place of both
  std::function<void(int socket)> then = {}; ///< after the answer, before the connection is closed
};

/// A container engine at a unix socket, with as much of Docker's API as the sub-agent uses: its containers are made, run,
/// are paused and end, in memory. Answers as Docker 20.10 does; `podman` makes it differ as podman 4.3 does.
class fake_engine {
public:
  struct container {
    std::string id = {}, guest = {}, body = {}, image = {};
    std::string status = "created"; ///< created running paused exited
    int exit_code = 0;
    bool oom = false;
    std::string started = "0001-01-01T00:00:00Z", finished = "0001-01-01T00:00:00Z";
    std::vector<std::string> networks = {};
    std::string log = {}; ///< in frames
    bool ignores_term = false;
  };

  explicit fake_engine(std::string socket, bool podman = false);
  ~fake_engine();
  fake_engine(const fake_engine&) = delete;
  fake_engine& operator=(const fake_engine&) = delete;

  const std::string& socket() const noexcept { return socket_; }

  /// Asked before each call; what it returns is the answer.
  void set_trouble(std::function<std::optional<engine_reply>(const engine_call&)> f);

  /// Stops listening and drops all connections; containers stay.
  void go_away();
  void come_back();

  // What happens to containers without the sub-agent. Names are the containers'.
  void with(const std::string& name, const std::function<void(container&)>& f);
  void end(const std::string& name, int exit_code, bool oom = false);
  void vanish(const std::string& name);
  void put(const std::string& name, container c);
  void rename(const std::string& name, const std::string& to);
  /// Drops the streams of events, as an engine may at any time.
  void end_events();
  bool has(const std::string& name) const;
  container get(const std::string& name) const;

  void put_image(const std::string& tag, const std::string& id = "sha256:1234");
  bool has_image(const std::string& tag) const;
  std::map<std::string, std::string> volumes() const; ///< name → guest
  void put_volume(const std::string& name, const std::string& guest);

  /// "METHOD /path" of all calls so far.
  std::vector<std::string> calls() const;
  std::size_t count(const std::string& call) const;
  /// Those of them that named the container by its id.
  std::size_t count_by_id(const std::string& call) const;
  /// The last body that came with this call.
  std::string body_of(const std::string& call) const;

  /// One frame of output.
  static std::string frame(char stream, std::string_view text);

private:
  struct connection;

  void listen();
  void accept_all();
  void serve(int socket);
  bool answer(int socket, engine_call call);
  void name_container(engine_call& call) const;
  engine_reply reply_to(const engine_call& call);
  engine_reply containers_reply(const engine_call& call);
  engine_reply create(const engine_call& call);
  engine_reply act(const engine_call& call, const std::string& name, const std::string& action);
  engine_reply images_reply(const engine_call& call);
  engine_reply volumes_reply(const engine_call& call);
  std::string inspect(const std::string& name, const container& c) const;
  std::string now();
  void emit(const std::string& action, const std::string& name, const container& c);
  void stream_events(int socket);

  const std::string socket_;
  const bool podman_;
  std::atomic<int> listener_ = -1;
  std::atomic<bool> away_ = false;
  mutable std::mutex mutex_;
  std::function<std::optional<engine_reply>(const engine_call&)> trouble_;
  std::map<std::string, container> containers_;
  std::map<std::string, std::string> images_, volumes_; // tag → id, name → guest
  std::vector<engine_call> seen_;
  std::vector<int> watchers_, sockets_;
  int clock_ = 0;
  unsigned next_id_ = 0;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

} // namespace mistify::test
