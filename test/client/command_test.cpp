#include "command_run.hpp"
#include "fake_agent.hpp"
#include "test/system/guarded_agent.hpp"
#include "test/system/house.hpp"
#include "test/system/tool.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

namespace mistify::test {

using Catch::Contains;
using namespace std::chrono_literals;

namespace {

constexpr auto web = "11111111-aaaa-4aaa-8aaa-111111111111", web2 = "11111111-bbbb-4bbb-8bbb-222222222222",
               wide = "33333333-cccc-4ccc-8ccc-333333333333";

/// An agent with three guests, and the command that talks to it.
struct fixture {
  house h;
  std::string url = "http://127.0.0.1:" + std::to_string(h.agent.port());

  fixture() {
    h.create_guest(R"("id":")" + std::string{web} + R"(","name":"web","memory":512,"cpu":1)");
    h.create_guest(R"("id":")" + std::string{web2} + R"(","name":"web2","memory":2048)");
    h.create_guest(R"("id":")" + std::string{wide} + R"(","name":"日本","memory":64)");
  }
  ran run(std::vector<std::string> words, const std::string& input = "") const {
    return run_command(words, {{"MISTIFY_HOST", url}}, input);
  }
  std::string last_job(const std::string& guest) const {
    return text_at(h.http.get("/guests/" + guest + "/jobs?limit=1").body, "0/ID");
  }
};

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

TEST_CASE("Guests are listed as a table, as CSV, YAML and JSON, by any column") {
  const fixture f;
  const auto table = f.run({"list", "-o", "name,memory", "--sort", "-memory"});
  INFO(table.err);
  CHECK(table.code == 0);
  CHECK(table.out == "NAME  MEMORY\nweb2  2048\nweb   512\n日本  64\n");
  CHECK(f.run({"list", "--as", "csv", "-o", "id,name", "--name", "web"}).out ==
        "id,name\r\n" + std::string{web} + ",web\r\n");
  const auto json = f.run({"list", "--as", "json"});
  CHECK(count(json.out) == 3);
  CHECK(at(json.out, "0/memory") == "512");
  CHECK_THAT(f.run({"show", "web"}).out, Contains("memory: 512\n"));
  CHECK(f.run({"list", "--as", "xml"}).code == 2);
  CHECK(f.run({"list", "--limit", "2", "--as", "csv"}).out.find("333333") == std::string::npos);
}

TEST_CASE("A guest is found by its id, its name or a prefix, and nothing is done where several fit") {
  fixture f;
  const auto before = f.h.sub.calls("Test.Reboot").size();
  const auto several = f.run({"reboot", "1111"});
  CHECK(several.code == 2);
  CHECK_THAT(several.err, Contains("web (11111111-aaaa") && Contains("web2 (11111111-bbbb"));
  CHECK(lines_in(several.err) <= 3);
  CHECK(f.run({"reboot", "web", "nobody"}).code == 3); // all are known before anything is done
  CHECK(f.h.sub.calls("Test.Reboot").size() == before);
  CHECK(f.run({"reboot", "web", "日", "--wait"}).code == 0);
  CHECK(f.h.sub.calls("Test.Reboot").size() == before + 2);
}

TEST_CASE("A log is printed as it is, the whole or its last lines") {
  fixture f;
  f.h.sub.on("/guests/log", [](const call& asked) {
    return download([tail = at(asked.body, "tail")](const write_bytes& write) {
      return write(tail == "1" ? "\x1b[0mtwo\n" : "one\n\x1b[0mtwo\n");
    });
  });
  CHECK(f.run({"log", "web"}).out == "one\n\x1b[0mtwo\n");
  const auto last = f.run({"log", "web", "--tail", "1", "-f"});
  CHECK(last.code == 0);
  CHECK(last.out == "\x1b[0mtwo\n");
  f.h.sub.on("/guests/log", [](const call&) { return http_reply(404, "the guest has no machine\n"); });
  const auto none = f.run({"log", "web"});
  CHECK(none.code == 3);
  CHECK_THAT(none.err, Contains("no machine"));
}

TEST_CASE("Without --wait the job's id is printed, with it the job has ended") {
  fixture f;
  const auto accepted = f.run({"start", "web"});
  CHECK(accepted.code == 0);
  CHECK(accepted.out == f.last_job(web) + "\n");
  f.h.sub.on("Test.Start", [](const call& asked) { return rpc_error(asked, "\"no \\u001b[31mpower\""); });
  const auto failed = f.run({"start", "web", "--wait"});
  CHECK(failed.code == 1);
  CHECK(failed.out.empty());
  CHECK_THAT(failed.err, Contains("start web: no \\x1b[31mpower") && Contains("mistify job "));
  CHECK(f.run({"wait", f.last_job(web)}).code == 1);
  CHECK(f.run({"wait", f.last_job(web).substr(0, 13)}).code == 1);
  CHECK(f.run({"wait", web2}).code == 3); // no job's id
}

TEST_CASE("A guest is created from options or the API's JSON, and its id is printed") {
  fixture f;
  const auto made = f.run({"create", "--name", "db", "--memory", "256", "--disk", "1024", "--nic", "lan", "--wait"});
  INFO(made.err);
  CHECK(made.code == 0);
  const auto id = made.out.substr(0, 36);
  CHECK(made.out == id + "\n");
  const auto stored = f.h.http.get("/guests/" + id).body;
  CHECK(at(stored, "memory") == "256");
  CHECK(at(stored, "disks/0/size") == "1024");
  CHECK(text_at(stored, "nics/0/network") == "lan");
  const auto piped = f.run({"create", "-f", "-", "--memory", "128"}, R"({"memory":1,"cpu":2,"other":true})");
  CHECK(piped.code == 0);
  const auto second = f.h.http.get("/guests/" + piped.out.substr(0, 36)).body;
  CHECK(at(second, "memory") == "128");
  CHECK(at(second, "other") == "true");
  CHECK(f.run({"create", "--id", web, "--memory", "9"}).code == 4); // 409: another guest has it
  CHECK(f.run({"delete", id, "--wait"}).code == 0);
  CHECK(f.h.http.get("/guests/" + id).status == 404);
}

TEST_CASE("Domains that are no guests are listed, and adopted by id or name") {
  fixture f;
  constexpr auto legacy = "5d5b6a2e-6f0c-4b8e-9a53-0f4c7d1e2b39";
  f.h.sub.on("Test.ListUnmanaged", [](const call& asked) {
    return result(asked, R"({"domains":[{"id":")" + std::string{legacy} +
                           R"(","name":"legacy","state":"running","memory":1024,"cpu":2,"adoptable":true},)"
                           R"({"id":"5d5b6a2e-0000-4b8e-9a53-000000000001","name":"a\u001b[2J","state":"shutoff",)"
                           R"("adoptable":false,"reason":"is transient"}]})");
  });
  const auto table = f.run({"unmanaged", "-o", "name,adoptable,reason"});
  INFO(table.err);
  CHECK(table.code == 0);
  CHECK_THAT(table.out, Contains("legacy    true") && Contains("a\\x1b[2J  false      is transient"));
  const auto made = f.run({"adopt", "legacy", "--name", "old", "--label", "team=a", "--metadata", "k=v", "--wait"});
  INFO(made.err);
  CHECK(made.code == 0);
  CHECK(made.out == std::string{legacy} + "\n");
  const auto guest = f.h.http.get("/guests/" + std::string{legacy}).body;
  CHECK(at(guest, "name") == R"("old")");
  CHECK(at(guest, "labels/team") == R"("a")");
  CHECK(at(guest, "metadata/k") == R"("v")");
  CHECK(f.run({"adopt", legacy}).code == 0); // its machine is looked at again
  CHECK(f.run({"adopt", web}).code == 4);    // a guest that was not adopted has that id
  CHECK(f.run({"adopt", "nobody"}).code == 3);
  CHECK(f.run({"adopt"}).code == 2);
}

TEST_CASE("Errors are at most three lines on stderr, with the documented exit statuses") {
  fixture f;
  const std::vector<std::pair<std::vector<std::string>, int>> cases{
    {{"nonsense"}, 2},
    {{}, 2},
    {{"snapshots"}, 2},
    {{"list", "--nonsense"}, 2},
    {{"show", "nobody"}, 3},
    {{"job", "nobody"}, 3},
    {{"resume", "--help"}, 0},
    {{"job", "00000000-0000-4000-8000-000000000000"}, 3},
    {{"show", "00000000-0000-4000-8000-000000000000"}, 3},
    {{"-H", "unix:/nonexistent", "list"}, 5},
    {{"-H", "http://127.0.0.1:1", "list"}, 5},
    {{"-H", "nonsense", "list"}, 2},
    {{"--cert", "/x", "list"}, 2},
    {{"--timeout", "x", "list"}, 2},
    {{"--token-file", "/nonexistent", "list"}, 2},
    {{"stop", "web", "--force", "--then", "fail"}, 2}};
  for (const auto& [words, code] : cases) {
    const auto got = f.run(words);
    INFO((words.empty() ? "" : words.back()) << ": " << got.err);
    CHECK(got.code == code);
    CHECK(lines_in(got.err) <= 3);
    CHECK(got.err.empty() == (code == 0));
    CHECK(got.out.empty() == (code != 0));
    CHECK(got.err.find("stack") == std::string::npos);
  }
}

TEST_CASE("An action that is not configured is refused, not absent") {
  const house h{[](config_file& config) { config.actions.erase("suspend"); }};
  const auto guest = const_cast<house&>(h).create_guest();
  const auto got = run_command({"-H", "http://127.0.0.1:" + std::to_string(h.agent.port()), "suspend", guest});
  CHECK(got.code == 4);
  CHECK_THAT(got.err, Contains("Not configured"));
}

TEST_CASE("Output that cannot be written is exit 1") {
  const fixture f;
  const auto got = run_tool("( MISTIFY_HOST=" + f.url + " " MISTIFY_BINARY " list > /dev/full )");
  CHECK(got.code == 1);
  CHECK_THAT(got.output, Contains("cannot be written"));
}

TEST_CASE("A token comes from an option, a file or the environment") {
  const guarded g;
  const auto token = g.token(R"("name":"t","role":"viewer")");
  const auto url = "http://127.0.0.1:" + std::to_string(g.h.agent.port());
  const auto file = g.dir.write("token", token + "\n");
  const auto none = run_command({"-H", url, "list"});
  CHECK(none.code == 4);
  CHECK_THAT(none.err, Contains("--token-file"));
  CHECK(run_command({"-H", url, "--token", token, "list"}).code == 0);
  CHECK(run_command({"-H", url, "list", "--token-file", file}).code == 0);
  CHECK(run_command({"-H", url, "list"}, {{"MISTIFY_TOKEN", token}}).code == 0);
  CHECK(run_command({"-H", url, "--token", "mst_wrong", "list"}, {{"MISTIFY_TOKEN", token}}).code == 4);
  const auto by_socket = run_command({"-H", "unix:" + g.socket, "token", "create", "ci", "--role", "operator"});
  CHECK(by_socket.code == 0);
  CHECK(by_socket.out.starts_with("mst_"));
  CHECK_THAT(run_command({"-H", "unix:" + g.socket, "token", "list", "-o", "name"}).out, Contains("ci\n"));
  CHECK(run_command({"-H", "unix:" + g.socket, "token", "rotate", "ci"}).out.starts_with("mst_"));
  CHECK(run_command({"-H", "unix:" + g.socket, "token", "delete", "ci"}).code == 0);
  CHECK(run_command({"-H", "unix:" + g.socket, "token", "delete", "ci"}).code == 3);
}

TEST_CASE("A wrong command line is told without its token") {
  const std::vector<std::vector<std::string>> cases{{"--token", "s3cret", "nonsense"},
                                                    {"--tokn=s3cret", "list"},
                                                    {"list", "--token=s3cret", "--tokn", "s3cret"},
                                                    {"-H", "unix:/nonexistent", "--token=s3cret", "show", "s3cret"},
                                                    {"mst_s3cret"}};
  for (const auto& words : cases) {
    const auto got = run_command(words);
    CHECK(got.code != 0);
    CHECK_FALSE(got.err.empty());
    CHECK(got.err.find("s3cret") == std::string::npos);
  }
}

TEST_CASE("A snapshot is downloaded sparse, and a transfer that breaks off begins anew") {
  fixture f;
  std::atomic<int> attempts = 0;
  f.h.sub.on("/snapshots/download", [&](const call&) {
    return download([&](const write_bytes& write) {
      write(std::string(1 << 20, '\0') + "begin");
      if (++attempts == 1)
        return false; // breaks off
      write(std::string(1 << 20, '\0') + "end");
      return true;
    });
  });
  const temp_dir dir;
  const auto file = (dir.path() / "disk").string();
  const auto got = f.run({"snapshots", "download", "web", "s", file, "--disk", "0"});
  INFO(got.err);
  CHECK(got.code == 0);
  CHECK(attempts == 2);
  CHECK(read_text(file) == std::string(1 << 20, '\0') + "begin" + std::string(1 << 20, '\0') + "end");
  CHECK(f.run({"snapshots", "download", "web", "s", "-"}).out.size() == (2 << 20) + 8);
  CHECK(f.run({"snapshots", "download", "web", "s", "/nonexistent/x"}).code == 1);
  CHECK(f.run({"snapshots", "create", "web", "now", "--wait"}).code == 0);
  CHECK(text_at(f.h.sub.calls("Test.CreateSnapshot").front().params, "dest") == "now");
}

TEST_CASE("Waiting and following go on over a restart of the agent, without gap or repetition") {
  fixture f;
  terminal jobs{{MISTIFY_BINARY, "-H", f.url, "jobs", "-f", "-o", "id,status"}, {}, 200};
  terminal events{{MISTIFY_BINARY, "-H", f.url, "events", "--type", "job", "-o", "job,type"}, {}, 200};
  CHECK(jobs.shows(f.last_job(wide) + "  Complete"));
  std::this_thread::sleep_for(300ms); // until the reader of events stands
  gate go_on;
  f.h.sub.on("Test.Reboot", [&](const call& asked) {
    go_on.wait();
    return echo(asked);
  });
  f.h.agent.rewrite_config(config_file{f.h.sub.port()}.text());
  const auto first = f.h.http.post("/guests/" + std::string{web} + "/reboot").job();
  const auto second = f.h.http.post("/guests/" + std::string{web} + "/start").job();
  terminal waiting{{MISTIFY_BINARY, "-H", f.url, "wait", second}};
  CHECK(waiting.shows("queued"));
  f.h.agent.kill_and_start();
  go_on.open();
  CHECK(waiting.ends() == 0);
  CHECK(jobs.shows(second + "  Complete"));
  CHECK(events.shows(second + "  job.ended"));
  jobs.type("\x03");
  CHECK(jobs.ends() == 130);
  for (const auto& line : {first + "  Queued", first + "  Running", first + "  Error", second + "  Complete"}) {
    INFO(jobs.text());
    CHECK(run_tool("printf '%s' '" + jobs.text() + "' | grep -c '" + line + "'").output == "1\n");
  }
}

TEST_CASE("A wait that begins while the agent is away waits for it as long as an answer may take") {
  fixture f;
  const auto job = f.last_job(web);
  f.h.agent.stop();
  const auto late = f.run({"--timeout", "0.3", "wait", job});
  CHECK(late.code == 5);
  CHECK(late.err.starts_with("mistify: no agent answers at " + f.url + "; waiting for it\n"));
  CHECK(f.run({"job", job}).code == 5);
  terminal whole{{MISTIFY_BINARY, "-H", f.url, "wait", job}, {}, 200};
  terminal prefix{{MISTIFY_BINARY, "-H", f.url, "wait", job.substr(0, 13)}, {}, 200};
  CHECK(whole.shows("waiting for it"));
  CHECK(prefix.shows("waiting for it"));
  f.h.agent.start();
  CHECK(whole.ends() == 0);
  CHECK(prefix.ends() == 0);
}

TEST_CASE("Ctrl-C ends a wait with 130 and says which job goes on") {
  fixture f;
  f.h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  terminal waiting{{MISTIFY_BINARY, "-H", f.url, "reboot", "web", "--wait"}, {}, 60};
  CHECK(waiting.shows("reboot web  0:0"));
  waiting.type("\x03");
  CHECK(waiting.ends() == 130);
  CHECK_THAT(waiting.text(), Contains(f.last_job(web)) && Contains("goes on"));
}

TEST_CASE("A bar is shown on a terminal only") {
  fixture f;
  gate go_on;
  f.h.sub.on("Test.Reboot", [&](const call& asked) {
    f.h.http.put("/jobs/" + asked.job_id + "/progress", R"({"message":"half way"})");
    go_on.wait();
    return echo(asked);
  });
  terminal shown{{MISTIFY_BINARY, "-H", f.url, "reboot", "web", "--wait"}};
  CHECK(shown.shows("half way"));
  go_on.open();
  CHECK(shown.ends() == 0);
  CHECK(shown.text().ends_with("\r\x1b[K")); // nothing stays behind
  const auto plain = f.run({"reboot", "web2", "--wait"});
  CHECK(plain.err.find('\r') == std::string::npos);
}

TEST_CASE("Colours are for terminals, and NO_COLOR has none") {
  const fixture f;
  terminal coloured{{MISTIFY_BINARY, "-H", f.url, "list"}};
  CHECK(coloured.ends() == 0);
  CHECK_THAT(coloured.text(), Contains("\x1b[1mID\x1b[0m"));
  terminal plain{{MISTIFY_BINARY, "-H", f.url, "list"}, {{"NO_COLOR", "1"}}};
  CHECK(plain.ends() == 0);
  CHECK(plain.text().find('\x1b') == std::string::npos);
  CHECK(f.run({"list"}).out.find('\x1b') == std::string::npos);
}

TEST_CASE("top is live on a terminal and ends with q") {
  const fixture f;
  terminal live{{MISTIFY_BINARY, "-H", f.url, "top", "-d", "1"}};
  CHECK(live.shows("GUEST"));
  CHECK(live.shows("web2"));
  live.type("q");
  CHECK(live.ends() == 0);
  CHECK(live.text().ends_with("\x1b[?25h\x1b[?1049l"));
  CHECK_THAT(f.run({"top", "-n", "1", "-d", "1"}).out, Contains("CPU %"));
}

TEST_CASE("Routes that the agent does not have are told clearly") {
  fake_agent old{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text(R"({"message":"method not allowed","code":405,"stack":[]})", "405 Method Not Allowed"));
  }};
  const auto got = run_command({"-H", old.url(), "update", web, "--memory", "1"});
  CHECK(got.code == 4);
  CHECK_THAT(got.err, Contains("does not know the command"));
}

TEST_CASE("Completion offers the agent's guests in bash, zsh and fish") {
  const fixture f;
  CHECK(f.run({"--complete", "start", "we"}).out == "web\nweb2\n");
  CHECK(f.run({"--complete", "-H", f.url, "snapshots", "list", "日"}).out == "日本\n");
  const temp_dir dir;
  const std::string name = "$(touch evaluated)";
  const_cast<house&>(f.h).create_guest(R"("name":)" + json_string(name));
  const auto bin = std::filesystem::path{MISTIFY_BINARY}.parent_path().string();
  const auto setup = "cd " + dir.path().string() + "; export PATH=" + bin + ":$PATH MISTIFY_HOST=" + f.url + "; ";
  const auto script_of = [&](const std::string& shell) { return dir.write(shell, f.run({"completion", shell}).out); };

  const auto bash =
    run_tool("bash --norc -c '" + setup + "source " + script_of("bash") +
             "; COMP_WORDS=(mistify start we); COMP_CWORD=2; COMP_LINE=\"mistify start we\"; COMP_POINT=16;"
             " _mistify; printf \"%s\\n\" \"${COMPREPLY[@]}\";"
             " COMP_WORDS=(mistify list --as = js); COMP_CWORD=4; COMP_LINE=\"mistify list --as=js\"; COMP_POINT=20;"
             " _mistify; printf \"%s\\n\" \"${COMPREPLY[@]}\";"
             " COMP_WORDS=(mistify start \"\"); COMP_CWORD=2; COMP_LINE=\"mistify start \"; COMP_POINT=14;"
             " _mistify; printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
  CHECK_THAT(bash.output, Catch::StartsWith("web\nweb2\njson\n") && Contains("\\$\\(touch"));

  const auto fish =
    run_tool("fish --no-config -c '" + setup + "source " + script_of("fish") + "; complete -C \"mistify start we\"'");
  CHECK(fish.output == "web\nweb2\n");

  script_of("zsh");
  terminal zsh{
    {"zsh", "-f", "-i"},
    {{"PATH", bin + ":" + std::getenv("PATH")}, {"MISTIFY_HOST", f.url}, {"PS1", "> "}, {"LC_ALL", "C.UTF-8"}}};
  zsh.type("autoload -Uz compinit; compinit -u -D; source " + (dir.path() / "zsh").string() + "; echo rea''dy\n");
  CHECK(zsh.shows("ready"));
  zsh.type("mistify start \xe6\x97\xa5\t");
  CHECK(zsh.shows("\xe6\x9c\xac"));
  zsh.type("\x15"
           "exit\n");
  zsh.ends();
  CHECK_FALSE(std::filesystem::exists(dir.path() / "evaluated"));
}

TEST_CASE("Completion is quiet and quick while the agent is away or hangs") {
  fake_agent hanging{[](const std::string&, std::size_t, int) { std::this_thread::sleep_for(3s); }};
  for (const auto& url : {std::string{"unix:/nonexistent"}, hanging.url()}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto got = run_command({"--complete", "-H", url, "start", ""});
    CHECK(std::chrono::steady_clock::now() - begin < 1500ms); // a second, and a machine under load
    CHECK(got.code == 0);
    CHECK(got.out.empty());
    CHECK(got.err.empty());
  }
}

TEST_CASE("What an agent that is none answers does not act on the terminal") {
  fake_agent evil{[](const std::string&, std::size_t, int fd) {
    send_all(fd, answer_text("[{\"id\":\"\\u001b]0;x\\u0007\",\"name\":\"\\u009b2J\",\"state\":\"\\u202e\"}]"));
  }};
  for (const auto* as : {"table", "json", "yaml", "csv"}) {
    const auto got = run_command({"-H", evil.url(), "list", "--as", as});
    INFO(got.out);
    CHECK(got.code == 0);
    for (const auto* bad : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae"})
      CHECK(got.out.find(bad) == std::string::npos);
  }
}

} // namespace mistify::test
