#include "nginx.hpp"

#include "process_figures.hpp"

#include <csignal>
#include <stdexcept>

namespace mistify::bench {

namespace {

using namespace std::chrono_literals;

/// A text between single quotes. nginx has no way to write a dollar sign.
std::string quoted(std::string_view text) {
  std::string out{'\''};
  for (const char c : text) {
    if (c == '$')
      throw std::runtime_error{"nginx would take a dollar sign for a variable"};
    if (c == '\'' || c == '\\')
      out += '\\';
    out += c;
  }
  return out += '\'';
}

/// All temporary files in the folder of the benchmark.
std::string temporary_files(const lab& in) {
  std::string out;
  for (const std::string name : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    out += name + "_temp_path " + in.file("nginx-" + name) + "; ";
  return out;
}

std::string listen_text(std::uint16_t port, const nginx::identity& tls) {
  const auto address = "listen 127.0.0.1:" + std::to_string(port);
  if (tls.cert.empty())
    return address + "; ";
  return address + " ssl; ssl_certificate " + tls.cert + "; ssl_certificate_key " + tls.key +
         "; ssl_protocols TLSv1.3; ssl_session_cache off; ";
}

std::string config_text(const lab& in, std::uint16_t port, const std::vector<nginx_location>& serves,
                        const nginx::identity& tls) {
  constexpr auto without_end = "keepalive_requests 1000000000; ";
  auto text = "daemon off; user root; worker_processes 2; error_log stderr; pid " + in.file("nginx.pid") +
              "; events { worker_connections 512; } http { access_log off; tcp_nodelay on; sendfile on; tcp_nopush on; "
              "open_file_cache max=100; default_type application/json; " +
              without_end + temporary_files(in) +
              "upstream agents { server 127.0.0.1:" + std::to_string(in.sub_agent_port()) + "; keepalive 64; " +
              without_end + "} server { " + listen_text(port, tls);
  for (const auto& one : serves)
    text.append("location = ").append(one.path).append(" { ").append(one.text).append("} ");
  return text + "} }";
}

child start(const lab& in, const std::string& config) {
  return child{{"nginx", "-p", in.folder(), "-c", in.write("nginx.conf", config)}, in.file("nginx.log")};
}

} // namespace

std::string nginx_return(std::string_view body) {
  return "return 200 " + quoted(body) + "; ";
}

std::string nginx_file(const std::string& file) {
  return "alias " + file + "; ";
}

std::string nginx_call(std::string_view path, std::string_view body) {
  return "proxy_method POST; proxy_http_version 1.1; proxy_set_header Connection ''; "
         "proxy_set_header Content-Type application/json; proxy_set_body " +
         quoted(body) + "; proxy_pass http://agents" + std::string{path} + "; ";
}

/// With nginx's own sizes of buffers; but nothing is written to a temporary file, however slow the client is.
std::string nginx_download(std::size_t bytes) {
  return "proxy_method POST; proxy_http_version 1.1; proxy_max_temp_file_size 0; proxy_pass http://agents/download/" +
         std::to_string(bytes) + "; ";
}

nginx::nginx(const lab& in, std::uint16_t port, const std::vector<nginx_location>& serves, const identity& tls)
  : process_{start(in, config_text(in, port, serves, tls))} {}

nginx::nginx(const lab& in, std::uint16_t port, const std::vector<nginx_location>& serves)
  : nginx{in, port, serves, identity{}} {}

/// Of a master that is killed, the workers would go on.
nginx::~nginx() {
  if (process_.running())
    ::kill(process_.id(), SIGTERM);
  try {
    process_.finish(5s);
  } catch (const std::exception&) {
    // killed by its own destructor
  }
}

std::chrono::nanoseconds nginx::cpu() const {
  std::chrono::nanoseconds sum{0};
  for (const auto worker : children_of(process_.id()))
    sum += cpu_time(worker);
  return sum;
}

} // namespace mistify::bench
