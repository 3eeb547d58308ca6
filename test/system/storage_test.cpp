#include "house.hpp"
#include "sockets.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <optional>

using namespace mistify::test;
using Catch::Contains;
using Catch::StartsWith;
namespace fs = std::filesystem;

namespace {

/// The agent, with the real sub-agent for disks and images behind its actions as in production.
struct storage_house {
  temp_dir dir;
  std::uint16_t port = free_port();
  std::optional<process> storage;
  house h{[this](config_file& c) { configure(c); }};

  storage_house() { start(); }

  void start() {
    storage.emplace(std::vector<std::string>{"--port", std::to_string(port), "--directory",
                                             (dir.path() / "store").string(), "--agent",
                                             "http://127.0.0.1:" + std::to_string(h.agent.port()), "--allow-net",
                                             "127.0.0.0/8"},
                    (dir.path() / "stderr").string(), STORAGE_BINARY);
    CHECK(eventually([&] { return h.http.get("/images").status == 200; }));
  }

  void configure(config_file& c) const {
    const auto at_port = R"({"port":)" + std::to_string(port);
    c.services["storage"] = at_port + "}";
    c.services["download"] = at_port + R"(,"path":"/snapshots/download"})";
    const std::pair<const char*, const char*> actions[] = {
      {"create", "CreateGuestDisks"},       {"delete", "DeleteGuestsDisks"},
      {"listImages", "ListImages"},         {"getImage", "GetImage"},
      {"deleteImage", "DeleteImage"},       {"fetchImage", "RequestImage"},
      {"listSnapshots", "ListSnapshots"},   {"getSnapshot", "GetSnapshot"},
      {"createSnapshot", "CreateSnapshot"}, {"rollbackSnapshot", "RollbackSnapshot"},
      {"deleteSnapshot", "DeleteSnapshot"},
    };
    for (const auto& [action, method] : actions)
      c.stages(action, R"({"service":"storage","method":"ImageStore.)" + std::string{method} + "\"}");
    c.actions.erase("containerListImages"); // of which there is no store here
    c.actions.erase("containerGetImage");
  }

  /// Waits for what was queued; "" where it is complete, else why not.
  std::string trouble(const response& answer) const {
    CHECK(answer.status == 202);
    return h.message(answer.job());
  }
  bool is_empty(const std::string& folder) const { return fs::is_empty(dir.path() / "store" / folder); }
};

} // namespace

TEST_CASE("images are fetched, and guests get disks of them, which are snapshotted, taken back and downloaded") {
  storage_house s;
  const auto source = s.dir.write("base.img", std::string(2 * 1024 * 1024, 'A'));
  CHECK(s.trouble(s.h.http.post("/images", R"({"id":"base","source":"file://)" + source + "\"}")) == "");
  CHECK(at(s.h.http.get("/images").body, "0/id") == "\"base\"");
  CHECK(text_at(s.h.http.get("/images/base").body, "status") == "complete");

  const auto id = s.h.create_guest(R"("disks":[{"image":"base"},{"size":1}])");
  const auto guest = s.h.http.get("/guests/" + id).body;
  CHECK(text_at(guest, "disks/0/volume") == "guests/" + id + "/disk-0");
  CHECK(at(guest, "disks/0/size") == "2");
  CHECK(fs::exists(text_at(guest, "disks/1/source")));

  const auto snapshots = "/guests/" + id + "/snapshots";
  CHECK(s.trouble(s.h.http.post(snapshots, R"({"dest":"one"})")) == "");
  CHECK(s.trouble(s.h.http.post("/guests/" + id + "/disks/0/snapshots", R"({"dest":"two"})")) == "");
  CHECK(count(s.h.http.get(snapshots).body) == 4);
  CHECK_THAT(s.trouble(s.h.http.post(snapshots + "/one/rollback")),
             Contains("more recent snapshots") && Contains("two"));
  CHECK(s.trouble(s.h.http.post(snapshots + "/one/rollback", R"({"destroyMoreRecent":true})")) == "");
  CHECK(count(s.h.http.get(snapshots).body) == 3);

  const auto disk = s.h.http.get("/guests/" + id + "/disks/0/snapshots/one/download");
  CHECK(disk.status == 200);
  CHECK(disk.body == std::string(2 * 1024 * 1024, 'A'));
  CHECK_THAT(s.h.http.get(snapshots + "/one/download").body, StartsWith("disk-0.raw"));
  CHECK(s.h.http.get(snapshots + "/none/download").status == 404);
  CHECK(s.h.http.get(snapshots + "/none").status == 404);

  CHECK_THAT(s.trouble(s.h.http.del("/images/base")), Contains("is in use"));
  CHECK(s.trouble(s.h.http.del("/guests/" + id)) == "");
  CHECK(s.is_empty("guests"));
  CHECK(s.trouble(s.h.http.del("/images/base")) == "");
  CHECK(s.h.http.get("/images/base").status == 404);
}

TEST_CASE("a fetch tells how far it is, ends with its job, and leaves nothing behind") {
  storage_house s;
  std::uint16_t silent_port = 0;
  const auto silent = listen_on_loopback(silent_port);
  const auto job =
    s.h.http.post("/images", R"({"id":"slow","source":"http://127.0.0.1:)" + std::to_string(silent_port) + "/x\"}")
      .job();
  CHECK(eventually([&] { return text_at(s.h.http.get("/images/slow").body, "status").starts_with("fetching: "); }));
  CHECK(s.h.http.del("/jobs/" + job).status == 202);
  CHECK(eventually([&] { return s.h.http.get("/images/slow").status == 404; }));
  CHECK(s.is_empty("images"));
  CHECK(s.is_empty(".staging"));
}

TEST_CASE("the job that fetches an image tells how far it is, and nothing once it is complete") {
  storage_house s;
  constexpr std::size_t mb = 1024 * 1024;
  gate first, second;
  // The scripted sub-agent serves any path: here it is where the image comes from.
  s.h.sub.on("/slow.img.sha256", [](const call&) { return http_reply(404, "no"); });
  s.h.sub.on("/slow.img", [&](const call&) {
    const auto send = [&](const write_bytes& write) {
      return write(std::string(4 * mb, 'A')) && first.wait() && write(std::string(8 * mb, 'B')) && second.wait() &&
             write(std::string(4 * mb, 'C'));
    };
    return download(send, 16 * mb);
  });
  const auto source = "http://127.0.0.1:" + std::to_string(s.h.sub.port()) + "/slow.img";
  const auto job = s.h.http.post("/images", R"({"id":"slow","source":")" + source + "\"}").job();
  const auto tells = [&](std::string_view text) {
    return eventually([&] {
      const auto now = s.h.http.get("/jobs/" + job).body;
      return text_at(now, "Status") == "Running" && text_at(now, "Message").starts_with(text) &&
             text_at(now, "Message").ends_with(" MB/s");
    });
  };
  CHECK(tells("fetching: 4 of 16 MB, "));
  first.open();
  CHECK(tells("fetching: 12 of 16 MB, "));
  second.open();
  CHECK(s.h.outcome(job) == "Complete");
  CHECK(s.h.message(job).empty());
  CHECK(text_at(s.h.http.get("/images/slow").body, "status") == "complete");
}

TEST_CASE("a sub-agent that was killed while it fetched starts again with nothing half left") {
  storage_house s;
  const auto kept = s.dir.write("kept.img", std::string(1024 * 1024, 'A'));
  CHECK(s.trouble(s.h.http.post("/images", R"({"id":"kept","source":"file://)" + kept + "\"}")) == "");
  std::uint16_t silent_port = 0;
  const auto silent = listen_on_loopback(silent_port);
  const auto slow = R"({"id":"slow","sha256":")" + std::string(64, '0') + R"(","source":"http://127.0.0.1:)" +
                    std::to_string(silent_port) + "/x\"}";
  const auto job = s.h.http.post("/images", slow).job();
  CHECK(eventually([&] { return !s.is_empty(".staging"); }));
  s.storage->signal(SIGKILL);
  CHECK_FALSE(s.h.message(job).empty());
  s.storage->wait();
  s.start();
  CHECK(s.is_empty(".staging"));
  CHECK(count(s.h.http.get("/images").body) == 1);
  CHECK(text_at(s.h.http.get("/images/kept").body, "status") == "complete");
}
