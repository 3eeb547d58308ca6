#include "nginx.hpp"
#include "rows.hpp"
#include "seed.hpp"
#include "tls_link.hpp"

#include <atomic>
#include <future>
#include <thread>

namespace mistify::bench {

namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr double goal = 0.9;
constexpr int shakers = 2; // connections that are made at a time

/// The certificate of both servers.
nginx::identity make_certificate(const lab& in) {
  nginx::identity made{in.file("tls.crt"), in.file("tls.key")};
  child{{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", made.key, "-out", made.cert},
        in.file("openssl.log")}
    .finish(20s);
  return made;
}

void wait_for_tls(nginx& server, const tls_client_settings& with, std::uint16_t port, const std::string& path) {
  for (const auto deadline = clock::now() + 20s;; std::this_thread::sleep_for(5ms)) {
    try {
      tls_link{with, port}.get_and_drop(path);
      return;
    } catch (const std::exception&) {
      if (!server.running() || clock::now() > deadline)
        throw std::runtime_error{"nginx does not answer"};
    }
  }
}

/// Full handshakes a second, each with one small read.
double handshakes(const lab& in, const tls_client_settings& with, std::uint16_t port, const std::string& path) {
  const auto begin = clock::now(), end = begin + in.how_much.length;
  std::vector<std::future<double>> running;
  for (int i = 0; i < shakers; ++i)
    running.push_back(std::async(std::launch::async, [&] {
      double made = 0;
      for (; clock::now() < end; ++made)
        tls_link{with, port}.get_and_drop(path);
      return made;
    }));
  double all = 0;
  for (auto& one : running)
    all += one.get();
  return all / std::chrono::duration<double>{clock::now() - begin}.count();
}

/// MiB a second.
double download(const tls_client_settings& with, std::uint16_t port, const std::string& path) {
  constexpr double mib = 1024 * 1024;
  const auto begin = clock::now();
  const auto size = tls_link{with, port}.get_and_drop(path);
  return static_cast<double>(size) / mib / std::chrono::duration<double>{clock::now() - begin}.count();
}

figure row_of(const std::string& work, const pairs& measured, const std::string& unit) {
  return {work, in_words(measured.ours) + unit, in_words(measured.theirs) + unit, measured.ratio, goal};
}

} // namespace

std::vector<figure> row_tls(lab& in) {
  const auto both = make_certificate(in);
  const auto ours = test::free_port(), theirs = test::free_port();
  const auto agent = in.start_agent({10, 1000}, tls_listener{ours, both.cert, both.key});
  const auto path = "/guests/" + guest_id(0);
  const tls_client_settings with;
  nginx beside{in,
               theirs,
               {{path, nginx_file(in.write("guest.json", http_link{agent.port()}.ask("GET", path).body))},
                {"/download", nginx_download(in.how_much.download)}},
               both};
  wait_for_tls(beside, with, theirs, path);
  const auto rounds = in.how_much.rounds;
  const auto shakes = measure_in_turn(
    rounds, [&] { return handshakes(in, with, ours, path); }, [&] { return handshakes(in, with, theirs, path); });
  const auto reads = measure_in_turn(
    rounds, [&] { return in.wrk_tls(ours, path).per_second; }, [&] { return in.wrk_tls(theirs, path).per_second; });
  const auto bytes = measure_in_turn(
    rounds, [&] { return download(with, ours, path + "/snapshots/s/download"); },
    [&] { return download(with, theirs, "/download"); });
  return {row_of("TLS handshakes with a read : nginx", shakes, "/s"), row_of("GET guest over TLS : nginx", reads, "/s"),
          row_of("download over TLS : nginx as a proxy", bytes, " MiB/s")};
}

} // namespace mistify::bench
