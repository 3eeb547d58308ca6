#include "http/cli/mistify/bar.hpp"
#include "http/cli/mistify/completion.hpp"
#include "http/cli/mistify/exit_status.hpp"
#include "http/cli/mistify/guest_body.hpp"
#include "http/cli/mistify/output.hpp"
#include "http/cli/mistify/parser.hpp"
#include "http/cli/mistify/resolve.hpp"
#include "http/cli/mistify/secrets.hpp"
#include "http/cli/mistify/sparse_writer.hpp"
#include "http/cli/mistify/text.hpp"
#include "http/cli/mistify/usage.hpp"
#include "test/system/daemon.hpp"
#include "test/system/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

namespace mistify::test {

using namespace cli;
using namespace std::chrono_literals;
using rpc::json::document;

namespace {

rows rows_of(const document& list) {
  return list.root().items("list");
}

layout as(format how, std::vector<std::string> chosen = {}, std::string sort = {}) {
  return {how, std::move(chosen), {"id", "memory"}, std::move(sort)};
}

status status_of_throw(const std::function<void()>& f) {
  try {
    f();
  } catch (const give_up& e) {
    return e.with();
  }
  return status::done;
}

arguments parse_words(const std::vector<std::string>& words) {
  return parse(split(words));
}

} // namespace

TEST_CASE("What acts on a terminal is escaped in tables and in JSON") {
  CHECK(escape("a\x1b[31mb\n\t\x7f") == "a\\x1b[31mb\\n\\t\\x7f");
  CHECK(escape("\xc2\x9b"
               "1m") == "\\x9b1m");           // C1
  CHECK(escape("\xe2\x80\xae") == "\\u202e"); // right-to-left override
  CHECK(escape("\xff\xc0\xaf") == "\\xff\\xc0\\xaf");
  CHECK(escape("grün 日本 🙂") == "grün 日本 🙂");
  CHECK(escape_json("\"\xc2\x9b\xe2\x80\xae\x7f\"") == "\"\\u009b\\u202e\\u007f\"");
}

TEST_CASE("A message has no token of the command line, and none of the agent's") {
  CHECK(without_tokens("there is no command \"abc\"", {"--token", "abc", "abc"}) == "there is no command \"…\"");
  CHECK(without_tokens("not found: --token=a+b guest a+b", {"--token=a+b"}) == "not found: --token=… guest …");
  CHECK(without_tokens("a guest at-a a", {"--token", "a"}) == "… guest at-a …");
  CHECK(without_tokens("not expected: mst_1_X-y, mst_", {"ls"}) == "not expected: …, …");
  CHECK(without_tokens("no token-file", {"--token", "", "--token-file", "token-file", "--token"}) == "no token-file");
}

TEST_CASE("Columns are aligned by what a terminal shows") {
  CHECK(width_of("日本") == 4);
  CHECK(width_of("e\xcc\x81") == 1); // a combining accent
  CHECK(cut_to("日本語", 5) == "日本");
  const auto list = document::parse(R"([{"id":"日本","memory":1},{"id":"abcdef","memory":20}])");
  CHECK(render(rows_of(list), as(format::table)) == "ID      MEMORY\n日本    1\nabcdef  20\n");
}

TEST_CASE("Columns are members in any case, with dots into objects") {
  const auto list = document::parse(R"([{"ID":"a","power":{"boot":"on"},"disks":[{"size":1}],"x":null}])");
  CHECK(render(rows_of(list), as(format::csv, {"id", "Power.Boot", "disks", "x", "absent"})) ==
        "id,Power.Boot,disks,x,absent\r\na,on,\"[{\"\"size\"\":1}]\",,\r\n");
}

TEST_CASE("CSV quotes what it has to and escapes control characters") {
  const auto list = document::parse(R"([{"id":"a,b","memory":"say \"x\"\n"}])");
  CHECK(render(rows_of(list), as(format::csv)) == "id,memory\r\n\"a,b\",\"say \"\"x\"\"\\n\"\r\n");
}

TEST_CASE("JSON and YAML show whole objects, unless columns are chosen") {
  const auto list =
    document::parse(R"([{"id":"a","big":18446744073709551615,"e":[],"o":{"yes":"no"},"l":[1,{"k":"v"}]}])");
  CHECK(render(rows_of(list), as(format::json, {"ID", "none"})) ==
        "[\n  {\n    \"ID\": \"a\",\n    \"none\": null\n  }\n]\n");
  CHECK(render_one(rows_of(list).front(), as(format::yaml)) ==
        "id: \"a\"\nbig: 18446744073709551615\ne: []\no:\n  \"yes\": \"no\"\nl:\n  - 1\n  - k: \"v\"\n");
  CHECK(document::parse(render(rows_of(list), as(format::json))).root().text() == list.root().text());
  CHECK(render_line(rows_of(list).front(), as(format::json, {"id"})) == "{\"id\":\"a\"}\n");
}

TEST_CASE("Numbers sort as numbers, and what is missing comes last in either order") {
  const auto list =
    document::parse(R"([{"id":"a","memory":10},{"id":"b"},{"id":"c","memory":9},{"id":"d","memory":1e3}])");
  const auto ids = [&](const std::string& by) { return render(rows_of(list), as(format::csv, {"id"}, by)); };
  CHECK(ids("memory") == "id\r\nc\r\na\r\nd\r\nb\r\n");
  CHECK(ids("-MEMORY") == "id\r\nd\r\na\r\nc\r\nb\r\n");
  CHECK(ids("-id") == "id\r\nd\r\nc\r\nb\r\na\r\n");
}

TEST_CASE("A guest is named by its whole id, then its whole name, then a unique prefix of either") {
  const std::vector<named> all{{"aa11", "web"}, {"aa22", "web2"}, {"bb33", "aa11"}, {"cc44", ""}};
  CHECK(resolve(all, "aa11", "guest") == "aa11");
  CHECK(resolve(all, "web", "guest") == "aa11");
  CHECK(resolve(all, "web2", "guest") == "aa22");
  CHECK(resolve(all, "b", "guest") == "bb33");
  CHECK(resolve(all, "c", "guest") == "cc44");
  CHECK(status_of_throw([&] { resolve(all, "we", "guest"); }) == status::usage);
  CHECK(status_of_throw([&] { resolve(all, "aa", "guest"); }) == status::usage);
  CHECK(status_of_throw([&] { resolve(all, "x", "guest"); }) == status::absent);
}

TEST_CASE("A guest's body is made of options, which beat the file's members") {
  const auto args =
    parse_words({"create", "--name", "web", "--memory", "512", "--disk", "1024", "--disk", "debian:12:2048", "--disk",
                 "a:b", "--nic", "lan", "--label", "env=a=b", "--start", "-f", "x"});
  CHECK(create_body(args, R"({"memory":1,"other":[1],"labels":{"k":"v"}})", "") ==
        R"({"disks":[{"size":1024},{"image":"debian:12","size":2048},{"image":"a:b"}],"labels":{"env":"a=b","k":"v"},)"
        R"("memory":512,"name":"web","nics":[{"network":"lan"}],"other":[1],"start":true})");
  const auto seed = parse_words({"create", "--user-data", "u", "-f", "x"});
  CHECK(create_body(seed, R"({"cloud_init":{"hostname":"h","user_data":"old"}})", "#new\n") ==
        R"({"cloud_init":{"hostname":"h","user_data":"#new\n"}})");
  const auto change = parse_words({"update", "g", "--label", "a=1", "--label", "b-", "--apply", "live"});
  CHECK(update_body(change, "") == R"({"apply":"live","labels":{"a":"1","b":null}})");
}

TEST_CASE("Options that make no sense are usage errors") {
  const std::vector<std::vector<std::string>> wrong{{"create", "--memory", "1G"},
                                                    {"create", "--memory", "-1"},
                                                    {"create", "--label", "x"},
                                                    {"create", "--disk", ":5"},
                                                    {"create", "--disk", "0"},
                                                    {"create", "--disk", "-5"},
                                                    {"create", "--disk", "1.5"},
                                                    {"create", "--disk", "99999999999999999999999"},
                                                    {"create", "--disk", "img:"},
                                                    {"create", "--disk", "img:-5"},
                                                    {"create", "--disk", "img:0"},
                                                    {"create", "--name", "a", "--name", "b"},
                                                    {"create", "--name", ""},
                                                    {"create", "extra"},
                                                    {"create", "--unknown"},
                                                    {"show"},
                                                    {"--unknown", "list"},
                                                    {"update", "g"},
                                                    {"update", "g", "--apply", "live"}};
  for (const auto& words : wrong) {
    INFO(words.back());
    CHECK(status_of_throw([&] {
            const auto args = parse_words(words);
            words.front() == "update" ? update_body(args, "") : create_body(args, "", "");
          }) == status::usage);
  }
  CHECK(status_of_throw([] { create_body(parse_words({"create", "-f", "x"}), "[1]", ""); }) == status::usage);
  CHECK(status_of_throw([] { create_body(parse_words({"create", "-f", "x"}), "{", ""); }) == status::usage);
}

TEST_CASE("Global options stand before the command or behind it, and guests may be called like commands") {
  CHECK(parse_words({"-H", "unix:/a", "list"}).text("--host") == "unix:/a");
  CHECK(parse_words({"list", "--host=unix:/b", "--sort", "-memory"}).text("--host") == "unix:/b");
  CHECK(parse_words({"list", "--sort", "-memory"}).text("--sort") == "-memory");
  CHECK(parse_words({"show", "list", "host"}).list("GUEST") == std::vector<std::string>{"list", "host"});
  CHECK(parse_words({"delete", "--", "-odd"}).list("GUEST") == std::vector<std::string>{"-odd"});
  CHECK(split({"images"}).of->path == "images list");
  CHECK(split({"host"}).of->path == "host show");
  CHECK(split({"snapshots"}).of == nullptr);
  CHECK(split({"images", "nonsense"}).of == nullptr);
}

TEST_CASE("Every command has a help that names its options and the global ones") {
  for (const auto& one : commands()) {
    INFO(one.path);
    CHECK(one.run != nullptr);
    for (const auto& each : options_of(one))
      CHECK(each.name().starts_with("--"));
  }
}

TEST_CASE("A bar is never wider than the terminal") {
  for (std::size_t columns = 0; columns <= 120; ++columns)
    for (const std::uint64_t total : {0, 100'000'000}) {
      const auto text =
        bar_text({"fetch 日本-debian-12-generic-amd64", "fetching \x1b[1m", "bytes", 45'000'000, total}, 10s, columns);
      CHECK(width_of(text) <= columns);
      CHECK(text.find('\x1b') == std::string::npos);
    }
  CHECK(bar_text({"f", "", "bytes", 50 << 20, 100 << 20}, 10s, 80) ==
        "f [####################--------------------] 50 %  100 MB  5.0 MB/s  0:10");
  CHECK(bar_text({"f", "queued", "", 0, 0}, 65s, 80) == "f  1:05  queued");
}

TEST_CASE("Zeros become holes, and the file is there when it is whole") {
  const temp_dir dir;
  const auto file = (dir.path() / "disk").string();
  std::string content(8 << 20, '\0');
  content.replace(5'000'000, 4, "data");
  sparse_writer writer{file};
  writer.write("what broke off");
  writer.restart();
  for (std::size_t at = 0; at < content.size(); at += 10'007)
    writer.write(std::string_view{content}.substr(at, 10'007));
  CHECK_FALSE(std::filesystem::exists(file));
  writer.finish();
  CHECK(read_text(file) == content);
  CHECK_FALSE(std::filesystem::exists(file + ".part"));
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  CHECK(found.st_blocks * 512 < 100'000);
  CHECK((found.st_mode & 0777U) == 0600);
  CHECK(status_of_throw([&] { sparse_writer{(dir.path() / "no" / "x").string()}.write("x"); }) == status::failed);
}

TEST_CASE("Rates are of the time between two figures, and a guest that restarted has none below zero") {
  usage_meter meter;
  const auto begin = usage_meter::clock::now();
  const auto page = [](int cpu, int read, double age) {
    return "# HELP x\nmistify_guest_cpu_seconds_total{guest=\"a\",cpu=\"0\"} " + std::to_string(cpu) +
           "\nmistify_guest_cpu_seconds_total{guest=\"a\",cpu=\"1\"} " + std::to_string(cpu) +
           "\nmistify_guest_disk_read_bytes_total{guest=\"a\",disk=\"v\\\"{ x\"} " + std::to_string(read) +
           "\nmistify_guest_metrics_age_seconds{guest=\"a\"} " + std::to_string(age) + "\nnonsense{ 1\n";
  };
  const std::vector<named> guests{{"b", ""}, {"a", "web"}};
  meter.take(page(10, 1000, 1), begin);
  CHECK_FALSE(meter.usage(guests, "cpu").at(0).known);
  meter.take(page(11, 500, 0), begin + 9s); // ten seconds between the figures
  const auto shown = meter.usage(guests, "cpu");
  CHECK(shown.at(0).name == "web");
  CHECK(shown.at(0).cpu == Approx(0.2));
  CHECK(shown.at(0).read == 0);
  CHECK(shown.at(1).name == "b");
  CHECK_FALSE(shown.at(1).known);
}

TEST_CASE("Completion knows commands, options and fixed values without an agent") {
  const std::vector<std::string> away{"-H", "unix:/nonexistent"};
  const auto offered = [&](std::vector<std::string> words) {
    words.insert(words.begin(), away.begin(), away.end());
    return complete(words);
  };
  CHECK(offered({"snap"}) == std::vector<std::string>{"snapshots"});
  CHECK(offered({"snapshots", "ro"}) == std::vector<std::string>{"rollback"});
  CHECK(offered({"list", "--as", "j"}) == std::vector<std::string>{"json"});
  CHECK(offered({"list", "--as=y"}) == std::vector<std::string>{"--as=yaml"});
  CHECK(offered({"stop", "--fo"}) == std::vector<std::string>{"--force"});
  CHECK(offered({"host", "maintenance", ""}) == std::vector<std::string>{"off", "on"});
  CHECK(offered({"start", ""}).empty());
  CHECK(offered({"nonsense", ""}).empty());
  CHECK(complete({}).empty());
}

} // namespace mistify::test
