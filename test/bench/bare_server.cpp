// What cpp-httplib can do at all: a server on its own thread pool that answers a fixed text, or that makes one call to a
// sub-agent for each request and answers a part of what came.
//
// Usage: bench_bare_server PORT PATH ANSWER_FILE
//        bench_bare_server PORT PATH CALL_FILE SUB_AGENT_PORT

#include "arguments.hpp"

#include <httplib.h>

#include <iostream>
#include <memory>

namespace {

/// A thread for each of the benchmark's 16 connections: fewer would leave some of them unserved, since the pool keeps a
/// thread on a connection for as long as that is open.
constexpr std::size_t threads = 16;

void answer(httplib::Response& response, std::string text) {
  response.set_header("Vary", "Accept-Encoding"); // as the agent does
  response.set_content(std::move(text), "application/json");
}

/// The array behind `"cpu":`, without reading JSON: the least that a proxy can do.
std::string cpu_part(const std::string& body) {
  const auto begin = body.find('[');
  const auto end = body.find(']', begin);
  return end == std::string::npos ? std::string{} : body.substr(begin, end - begin + 1) + '\n';
}

/// One kept connection for each thread, so that none waits for another.
httplib::Client& client_of_thread(std::uint16_t port) {
  thread_local std::unique_ptr<httplib::Client> client;
  if (!client) {
    client = std::make_unique<httplib::Client>("127.0.0.1", port);
    client->set_keep_alive(true);
    client->set_tcp_nodelay(true);
  }
  return *client;
}

void proxy(std::uint16_t port, const std::string& call, httplib::Response& response) {
  const auto result = client_of_thread(port).Post("/_mistify_RPC_", call, "application/json");
  if (result && result->status == 200)
    answer(response, cpu_part(result->body));
  else
    response.status = 502;
}

void serve(const std::vector<std::string>& words) {
  const auto text = mistify::bench::text_of(words.at(3));
  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool{threads}; };
  server.set_keep_alive_max_count(SIZE_MAX);
  server.set_tcp_nodelay(true);
  if (words.size() == 4)
    server.Get(words[2], [&](const httplib::Request&, httplib::Response& response) { answer(response, text); });
  else
    server.Get(words[2], [&, port = mistify::bench::port_from(words.at(4))](
                           const httplib::Request&, httplib::Response& response) { proxy(port, text, response); });
  if (!server.listen("127.0.0.1", mistify::bench::port_from(words.at(1))))
    throw std::runtime_error{"cannot listen"};
}

} // namespace

int main(int argc, char** argv) {
  try {
    serve({argv, argv + argc});
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "bench_bare_server: " << e.what() << '\n';
    return 1;
  }
}
