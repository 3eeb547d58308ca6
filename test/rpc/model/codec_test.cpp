#include "rpc/model/codec.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace mistify::rpc;
using namespace std::chrono;
using Catch::Matchers::StartsWith;
using json::document;

namespace {

template <class F>
std::string complaint(errc code, F f) {
  try {
    f();
  } catch (const failure& e) {
    CHECK(e.code() == code);
    return e.message();
  }
  return "nothing was thrown";
}

std::string guest_refusal(std::string_view text) {
  return complaint(errc::invalid_request, [&] { decode_guest(text); });
}

document decode_result(std::string_view body, std::uint64_t id = 1) {
  return result_in(decode_answer(body, id));
}

std::string result_refusal(std::string_view text) {
  return complaint(errc::sub_agent_failed, [&] { decode_result(text); });
}

std::string stage_refusal(std::string_view text) {
  return complaint(errc::sub_agent_failed, [&] { decode_stage_result(document::parse(text).root()); });
}

/// What a text becomes when it is read as `T` and written again.
template <class Decode>
std::string again(Decode decode, std::string_view text) {
  const auto doc = document::parse(text);
  return encode(decode(doc.root()));
}

timestamp at(sys_days day, nanoseconds time) {
  return timestamp{day} + time;
}

} // namespace

// -- guests --------------------------------------------------------------------------------------------------------

TEST_CASE("a full guest survives a round trip to the letter") {
  const std::string text =
    R"({"id":"g","type":"container","image":"i","nics":[{"name":"eth0","network":"n","model":"virtio",)"
    R"("mac":"52:54","address":"a","netmask":"m","gateway":"w","device":"d","vlans":[1,-2]}],)"
    R"("disks":[{"bus":"virtio","device":"vda","size":18446744073709551615,"volume":"v","image":"i","source":"s"}],)"
    R"("state":"running","memory":512,"cpu":2,"vnc":-1,"metadata":{"a":"1","b":""}})";
  CHECK(encode(decode_guest(text)) == text);
}

TEST_CASE("a guest leaves out what is empty, its nics and disks do not") {
  CHECK(encode(guest{}) == R"({"id":""})");
  guest g;
  g.id = "x";
  g.nics.emplace_back();
  g.disks.emplace_back();
  CHECK(encode(g) ==
        R"({"id":"x","nics":[{"network":"","model":"","address":"","netmask":"","gateway":"","vlans":null}],)"
        R"("disks":[{"bus":"","device":"","size":0,"volume":"","image":"","source":""}]})");
}

TEST_CASE("unset vlans differ from no vlans") {
  const auto unset = decode_guest(R"({"nics":[{},{"vlans":null},{"vlans":[]}]})");
  REQUIRE(unset.nics.size() == 3);
  CHECK_FALSE(unset.nics[0].vlans);
  CHECK_FALSE(unset.nics[1].vlans);
  REQUIRE(unset.nics[2].vlans);
  CHECK(unset.nics[2].vlans->empty());
  CHECK(encode(unset).ends_with(R"("vlans":[]}]})"));
}

TEST_CASE("unknown members of guest, nic and disk are kept to the letter, sorted behind the known") {
  const auto text = R"({"zone":{"n":123456789012345678901234567890,"f":[1.10,1e309,-0]},"id":"g","another":null,)"
                    R"("q\"":"\u00e9\n","nics":[{"x":1.0,"b":true}],"disks":[{"serial":[ ]}]})";
  const auto g = decode_guest(text);
  CHECK(g.extra.at("zone") == R"({"n":123456789012345678901234567890,"f":[1.10,1e309,-0]})");
  CHECK(g.nics.at(0).extra.at("x") == "1.0");
  CHECK(encode(g) ==
        R"({"id":"g","nics":[{"network":"","model":"","address":"","netmask":"","gateway":"","vlans":null,"b":true,)"
        R"("x":1.0}],"disks":[{"bus":"","device":"","size":0,"volume":"","image":"","source":"","serial":[]}],)"
        "\"another\":null,\"q\\\"\":\"\xc3\xa9\\n\",\"zone\":{\"n\":123456789012345678901234567890,"
        "\"f\":[1.10,1e309,-0]}}");
  CHECK(encode(decode_guest(encode(g))) == encode(g));
}

TEST_CASE("null leaves every field at its zero") {
  const auto g = decode_guest(R"({"id":null,"type":null,"image":null,"nics":null,"disks":null,"state":null,)"
                              R"("memory":null,"cpu":null,"vnc":null,"metadata":null})");
  CHECK(encode(g) == R"({"id":""})");
  CHECK(encode(decode_guest("null")) == R"({"id":""})");
  CHECK(encode(decode_guest(R"({"nics":[null],"disks":[null],"metadata":{"k":null}})")) ==
        R"({"id":"","nics":[{"network":"","model":"","address":"","netmask":"","gateway":"","vlans":null}],)"
        R"("disks":[{"bus":"","device":"","size":0,"volume":"","image":"","source":""}],"metadata":{"k":""}})");
}

TEST_CASE("of repeated members the last one wins") {
  const auto g = decode_guest(R"({"id":"a","nics":[{},{}],"metadata":{"x":"1","k":"1"},"id":"b","nics":[{}],)"
                              R"("metadata":{"k":"1","k":"2"},"e":1,"e":2})");
  CHECK(g.id == "b");
  CHECK(g.nics.size() == 1);
  CHECK(g.metadata == metadata_map{{"k", "2"}});
  CHECK(g.extra.at("e") == "2");
}

TEST_CASE("a wrong type is refused with the path of the field") {
  const std::pair<const char*, const char*> cases[] = {
    {R"([])", "body: must be an object"},
    {R"("x")", "body: must be an object"},
    {R"({"id":1})", "id: must be a string"},
    {R"({"nics":{}})", "nics: must be an array"},
    {R"({"nics":[{},7]})", "nics[1]: must be an object"},
    {R"({"nics":[{"network":[]}]})", "nics[0].network: must be a string"},
    {R"({"nics":[{"vlans":[1,2,"x"]}]})", "nics[0].vlans[2]: must be a whole number"},
    {R"({"nics":[{"vlans":[1.5]}]})", "nics[0].vlans[0]: must be a whole number"},
    {R"({"nics":[{"vlans":5}]})", "nics[0].vlans: must be an array"},
    {R"({"disks":[{},{"size":-1}]})", "disks[1].size: must be a non-negative whole number"},
    {R"({"disks":[{"size":18446744073709551616}]})", "disks[0].size: does not fit into 64 bits"},
    {R"({"memory":-1})", "memory: must be a non-negative whole number"},
    {R"({"memory":1.5})", "memory: must be a non-negative whole number"},
    {R"({"memory":1e2})", "memory: must be a non-negative whole number"},
    {R"({"cpu":"2"})", "cpu: must be a non-negative whole number"},
    {R"({"vnc":true})", "vnc: must be a whole number"},
    {R"({"metadata":[]})", "metadata: must be an object"},
    {R"({"metadata":{"k":1}})", "metadata.k: must be a string"},
  };
  for (const auto& [text, expected] : cases)
    CHECK(guest_refusal(text) == expected);
}

TEST_CASE("broken text is refused with the byte") {
  CHECK(guest_refusal("") == "empty body: JSON expected at byte 0");
  CHECK_THAT(guest_refusal(R"({"id":"x")"), StartsWith("invalid JSON at byte 9: "));
  CHECK_THAT(guest_refusal(R"({"id":"x"}x)"), StartsWith("invalid JSON at byte 10: "));
  CHECK(guest_refusal(R"({"x":)" + std::string(1'000'000, '[')) == "nested too deeply at byte 104");
}

// -- images, snapshots, metrics ------------------------------------------------------------------------------------

TEST_CASE("images leave out what is empty") {
  const auto decode = [](const json::node& n) { return decode_image(n); };
  CHECK(again(decode, "{}") == R"({"id":"","type":"","size":0})");
  const auto* full =
    R"({"id":"i","type":"kvm","volume":"v","snapshot":"s","size":9007199254740993,"status":"complete"})";
  CHECK(again(decode, full) == full);
  CHECK(again(decode, R"({"id":"i","unknown":1})") == R"({"id":"i","type":"","size":0})");
  CHECK(complaint(errc::invalid_request, [&] { again(decode, R"({"size":-1})"); }) ==
        "size: must be a non-negative whole number");
}

TEST_CASE("image requests are always whole and carry unknown members through") {
  CHECK(encode(decode_image_request("{}")) == R"({"id":"","type":"","dest":"","source":""})");
  const auto* full = R"({"id":"i","type":"container","dest":"d","source":"s","name":"n","opts":{"a":[1.10]}})";
  CHECK(encode(decode_image_request(full)) == full);
  CHECK(again([](const json::node& n) { return decode_image_request(n); }, full) == full);
  CHECK(complaint(errc::invalid_request, [] { decode_image_request(R"({"source":5})"); }) ==
        "source: must be a string");
}

TEST_CASE("snapshots and their requests survive a round trip") {
  CHECK(again([](const json::node& n) { return decode_snapshot(n); }, R"({"size":5,"id":"guests/g@s"})") ==
        R"({"id":"guests/g@s","size":5})");
  CHECK(encode(snapshot_request{}) == R"({"id":"","dest":"","recursive":false,"destroyMoreRecent":false})");
  const auto* full = R"({"id":"i","dest":"d","recursive":true,"destroyMoreRecent":true})";
  CHECK(encode(decode_snapshot_request(full)) == full);
  CHECK(again([](const json::node& n) { return decode_snapshot_request(n); }, full) == full);
  CHECK(encode(decode_snapshot_request("null")) == encode(snapshot_request{}));
  CHECK(complaint(errc::invalid_request, [] { decode_snapshot_request(R"({"destroyMoreRecent":1})"); }) ==
        "destroyMoreRecent: must be true or false");
}

TEST_CASE("metrics survive a round trip") {
  const auto* cpu = R"({"cpu_time":1.5,"vcpu_time":0.1})";
  CHECK(again([](const json::node& n) { return decode_cpu_metrics(n); }, cpu) == cpu);
  const auto* disk = R"({"disk":"vda","read_ops":1,"read_bytes":9223372036854775807,"read_time":2.25,"write_ops":3,)"
                     R"("write_bytes":4,"write_time":5,"flush_ops":-6,"flush_time":7.5})";
  CHECK(again([](const json::node& n) { return decode_disk_metrics(n); }, disk) == disk);
  const auto* nic = R"({"name":"eth0","rx_bytes":1,"rx_packets":2,"rx_errors":3,"rx_drops":4,"tx_bytes":5,)"
                    R"("tx_packets":6,"tx_errors":7,"tx_drops":8})";
  CHECK(again([](const json::node& n) { return decode_nic_metrics(n); }, nic) == nic);
}

TEST_CASE("metrics always have all fields") {
  CHECK(encode(guest_cpu_metrics{}) == R"({"cpu_time":0,"vcpu_time":0})");
  CHECK(encode(guest_disk_metrics{}) == R"({"disk":"","read_ops":0,"read_bytes":0,"read_time":0,"write_ops":0,)"
                                        R"("write_bytes":0,"write_time":0,"flush_ops":0,"flush_time":0})");
  CHECK(encode(guest_nic_metrics{}) == R"({"name":"","rx_bytes":0,"rx_packets":0,"rx_errors":0,"rx_drops":0,)"
                                       R"("tx_bytes":0,"tx_packets":0,"tx_errors":0,"tx_drops":0})");
  CHECK(encode(guest_cpu_metrics{std::numeric_limits<double>::quiet_NaN(), 1}) == R"({"cpu_time":null,"vcpu_time":1})");
}

TEST_CASE(
  "a sub-agent says by a code what is wrong; codes that are the agent's to say, and unknown ones, are failures") {
  const auto code_in = [](const std::string& error) {
    try {
      decode_result(R"({"result":null,"id":0,"error":)" + error + "}");
    } catch (const failure& e) {
      CHECK(e.message() == "why");
      return code_of(e.code());
    }
    return job_code::none;
  };
  for (const auto* known :
       {"timeout", "unreachable", "refused", "no_space", "no_memory", "not_found", "conflict", "in_use"})
    CHECK(to_string(code_in(R"({"code":")" + std::string{known} + R"(","message":"why"})")) == known);
  for (const auto* other :
       {R"("cancelled")", R"("interrupted")", R"("guest_deleted")", R"("preempted")", R"("x")", "7"})
    CHECK(code_in(R"({"code":)" + std::string{other} + R"(,"message":"why"})") == job_code::failed);
  CHECK(code_in(R"("why")") == job_code::failed);
}

TEST_CASE("the fixed texts of the original's sub-agents have codes") {
  const std::pair<const char*, errc> texts[] = {{"not found", errc::sub_agent_not_found},
                                                {"no such image", errc::sub_agent_not_found},
                                                {"no space left on device", errc::sub_agent_no_space}};
  for (const auto& [text, code] : texts)
    CHECK(complaint(code, [&, t = text] { decode_result(R"({"error":")" + std::string{t} + "\"}"); }) == text);
}

// -- jobs and times ------------------------------------------------------------------------------------------------

TEST_CASE("a job is written with capitalised members, all of them") {
  CHECK(encode(job{}) == R"({"ID":"","GuestID":"","Action":"","QueuedAt":"0001-01-01T00:00:00Z",)"
                         R"("StartedAt":"0001-01-01T00:00:00Z","UpdatedAt":"0001-01-01T00:00:00Z",)"
                         R"("Status":"Queued","Message":"","Code":"","Retryable":false,"RequestID":"","User":""})");
  job j{"j", "agent", "fetchImage", at(2026y / 11 / 22, 10h + 500ms), {}, {}, job_status::error, "no \"x\"\n\xff"};
  CHECK(
    encode(j) ==
    R"({"ID":"j","GuestID":"agent","Action":"fetchImage","QueuedAt":"2026-11-22T10:00:00.5Z",)"
    R"("StartedAt":"0001-01-01T00:00:00Z","UpdatedAt":"0001-01-01T00:00:00Z","Status":"Error",)"
    "\"Message\":\"no \\\"x\\\"\\n\xef\xbf\xbd\",\"Code\":\"\",\"Retryable\":false,\"RequestID\":\"\",\"User\":\"\"}");
}

TEST_CASE("a job that has begun says at which stage it is, how far, and why it failed") {
  job j;
  j.code = job_code::no_space;
  j.stages = {{"storage", "S.One", at(2026y / 11 / 22, 10h), at(2026y / 11 / 22, 11h), stage_outcome::ok},
              {"libvirt", "S.Two", at(2026y / 11 / 22, 11h)}};
  j.stage_count = 3;
  j.progress = job_progress{1, std::nullopt, "MB"};
  j.user = "ann";
  const auto text = encode(j);
  CHECK(text.find(R"("Code":"no_space","Retryable":true,)"
                  R"("Stage":{"index":2,"of":3,"service":"libvirt","method":"S.Two"},)"
                  R"("Progress":{"done":1,"unit":"MB"},"RequestID":"","User":"ann"})") != std::string::npos);
  CHECK(text.find("Stages") == std::string::npos);
  CHECK(encode(j, true).find(R"("Stages":[{"service":"storage","method":"S.One","started":"2026-11-22T10:00:00Z",)"
                             R"("ended":"2026-11-22T11:00:00Z","outcome":"ok"},)"
                             R"({"service":"libvirt","method":"S.Two","started":"2026-11-22T11:00:00Z"}])") !=
        std::string::npos);
}

TEST_CASE("every code of a job has a name that reads back, and only some are worth another try") {
  for (int i = 1; i <= static_cast<int>(job_code::failed); ++i) {
    const auto code = static_cast<job_code>(i);
    INFO(to_string(code));
    CHECK_FALSE(to_string(code).empty());
    CHECK(job_code_from(to_string(code)) == code);
  }
  CHECK_FALSE(job_code_from(""));
  CHECK_FALSE(job_code_from("Failed"));
  CHECK(is_retryable(job_code::in_use));
  CHECK_FALSE(is_retryable(job_code::failed));
  CHECK_FALSE(is_retryable(job_code::refused));
}

TEST_CASE("the names of job statuses are read back") {
  for (auto status : {job_status::queued, job_status::running, job_status::complete, job_status::error})
    CHECK(job_status_from(to_string(status)) == status);
  CHECK(to_string(job_status::complete) == "Complete");
  for (const auto* text : {"", "queued", "Done", "Complete "})
    CHECK_FALSE(job_status_from(text));
}

TEST_CASE("times are written in UTC with trimmed nanoseconds") {
  CHECK(encode(timestamp{}) == "0001-01-01T00:00:00Z");
  CHECK(encode(at(2026y / 11 / 22, 10h)) == "2026-11-22T10:00:00Z");
  CHECK(encode(at(2026y / 1 / 2, 3h + 4min + 5s + 120ms)) == "2026-01-02T03:04:05.12Z");
  CHECK(encode(at(2024y / 2 / 29, 23h + 59min + 59s + 999999999ns)) == "2024-02-29T23:59:59.999999999Z");
  CHECK(encode(at(2026y / 1 / 2, 1ns)) == "2026-01-02T00:00:00.000000001Z");
  CHECK(encode(at(1969y / 12 / 31, 23h + 1ns)) == "1969-12-31T23:00:00.000000001Z");
}

TEST_CASE("times are read with any offset and precision") {
  const std::pair<const char*, timestamp> cases[] = {
    {"2026-11-22T10:00:00Z", at(2026y / 11 / 22, 10h)},
    {"2026-11-22t10:00:00z", at(2026y / 11 / 22, 10h)},
    {"2026-11-22T10:00:00.5Z", at(2026y / 11 / 22, 10h + 500ms)},
    {"2026-11-22T10:00:00.000000001Z", at(2026y / 11 / 22, 10h + 1ns)},
    {"2026-11-22T10:00:00.12345678999999Z", at(2026y / 11 / 22, 10h + 123456789ns)},
    {"2026-11-22T01:30:00+02:30", at(2026y / 11 / 21, 23h)},
    {"2026-12-31T23:30:00.25-01:00", at(2027y / 1 / 1, 30min + 250ms)},
    {"2026-11-22T10:00:00-00:00", at(2026y / 11 / 22, 10h)},
    {"0001-01-01T00:00:00Z", timestamp{}},
    {"0001-01-01T01:00:00+01:00", timestamp{}},
    {"1970-01-01T00:00:00Z", timestamp{}},
    {"1677-12-31T23:59:59Z", at(1677y / 12 / 31, 23h + 59min + 59s)},
    {"2262-01-01T00:00:00Z", at(2262y / 1 / 1, 0s)},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(decode_timestamp(text) == expected);
  }
}

TEST_CASE("what is no time is refused") {
  for (const auto* text : {"",
                           "x",
                           "2026",
                           "2026-11-22",
                           "2026-11-22T10:00:00",
                           "2026-11-22 10:00:00Z",
                           "2026-11-22T10:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-01-01T24:00:00Z",
                           "2026-01-01T00:60:00Z",
                           "2026-01-01T00:00:60Z",
                           "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00,5Z",
                           "2026-01-01T00:00:00Z ",
                           " 2026-01-01T00:00:00Z",
                           "2026-01-01T00:00:00+1:00",
                           "2026-01-01T00:00:00+0100",
                           "2026-01-01T00:00:00+24:00",
                           "2026-01-01T00:00:00+00:60",
                           "2026-01-01T00:00:00+",
                           "26-01-01T00:00:00Z",
                           "-2026-01-01T00:00:00Z",
                           "+202-01-01T00:00:00Z",
                           "2026-1-01T00:00:00Z",
                           "0001-01-01T00:00:01Z",
                           "1600-01-01T00:00:00Z",
                           "2300-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z",
                           "2026-01-01T00:00:00ZZ",
                           "\xff\xff"}) {
    INFO(text);
    CHECK_FALSE(decode_timestamp(text));
  }
}

TEST_CASE("times survive a round trip to the nanosecond") {
  for (std::int64_t n : {1LL, -1LL, 1'000'000'000LL, 1'700'000'000'123'456'789LL, -9'000'000'000'000'000'001LL}) {
    const timestamp t{nanoseconds{n}};
    CHECK(decode_timestamp(encode(t)) == t);
  }
}

// -- metadata ------------------------------------------------------------------------------------------------------

TEST_CASE("metadata is a map of strings, sorted") {
  CHECK(encode(metadata_map{}) == "{}");
  CHECK(encode(decode_metadata(R"({"b":"2","a":"\"","c":null})")) == R"({"a":"\"","b":"2","c":""})");
  CHECK(decode_metadata("null").empty());
  CHECK(complaint(errc::invalid_request, [] { decode_metadata("[]"); }) == "metadata: must be an object");
  CHECK(complaint(errc::invalid_request, [] { decode_metadata(R"({"k":{}})"); }) == "metadata.k: must be a string");
}

TEST_CASE("a patch sets and deletes") {
  metadata_map map{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const auto patch = decode_metadata_patch(R"({"a":null,"b":"","c":"9","d":"4","x":null})");
  CHECK(patch.size() == 5);
  apply(map, patch);
  CHECK(map == metadata_map{{"c", "9"}, {"d", "4"}});
  CHECK(decode_metadata_patch("null").empty());
  CHECK(complaint(errc::invalid_request, [] { decode_metadata_patch(R"({"k":1})"); }) ==
        "metadata.k: must be a string");
  CHECK(complaint(errc::invalid_request, [] { decode_metadata_patch(""); }) == "empty body: JSON expected at byte 0");
}

// -- JSON-RPC ------------------------------------------------------------------------------------------------------

TEST_CASE("a call has one object as its parameters") {
  CHECK(encode_call("Libvirt.Run", R"({"guest":{}})", 18446744073709551615u) ==
        R"({"method":"Libvirt.Run","params":[{"guest":{}}],"id":18446744073709551615})");
}

TEST_CASE("requests carry args only where there are some") {
  CHECK(encode_guest_request(R"({"id":"g"})", "create", {}) == R"({"guest":{"id":"g"},"action":"create"})");
  CHECK(encode_guest_request(R"({"id":"g"})", "create", {{"k", "v\""}}) ==
        R"({"guest":{"id":"g"},"action":"create","args":{"k":"v\""}})");
  CHECK(encode_metrics_request(R"({"id":"g"})", "cpu", {}) == R"({"guest":{"id":"g"},"type":"cpu"})");
  CHECK(encode_metrics_request(R"({"id":"g"})", "cpu", {{"k", "v"}}) ==
        R"({"guest":{"id":"g"},"type":"cpu","args":{"k":"v"}})");
}

TEST_CASE("args are added to any request, in place of the client's") {
  CHECK(with_args(R"({"id":"i"})", {}) == R"({"id":"i"})");
  CHECK(with_args("{}", {{"k", "v"}}) == R"({"args":{"k":"v"}})");
  CHECK(with_args(R"({"args":{"evil":"1"},"id":"i","n":1.10})", {{"a", "1"}, {"b", "2"}}) ==
        R"({"id":"i","n":1.10,"args":{"a":"1","b":"2"}})");
}

TEST_CASE("the result of an answer is handed on to the letter") {
  CHECK(decode_result(R"({"result": {"n": 1.10, "b": 123456789012345678901234567890}, "error": null, "id": 0})")
          .root()
          .text() == R"({"n":1.10,"b":123456789012345678901234567890})");
  CHECK(decode_result(R"({"result":[]})").root().text() == "[]");
}

TEST_CASE("an answer that is no answer says what is wrong") {
  CHECK(result_refusal("") == "unparsable answer: empty body: JSON expected at byte 0");
  CHECK(result_refusal("<h1>hi") == "unparsable answer: invalid JSON at byte 0: invalid value");
  CHECK(result_refusal(std::string(1'000'000, '[')) == "unparsable answer: nested too deeply at byte 100");
  for (const auto* text : {"[]", "1", "null", "\"x\""})
    CHECK(result_refusal(text) == "unparsable answer: must be an object");
  for (const auto* text : {"{}", R"({"result":null,"error":null,"id":1})", R"({"error":null})"})
    CHECK(result_refusal(text) == "empty result");
}

TEST_CASE("an answer has the id of its call, 0 or none") {
  const auto with_id = [](std::string_view id, std::uint64_t asked = 7) {
    const auto body = R"({"result":{},"error":null,"id":)" + std::string{id} + '}';
    return complaint(errc::sub_agent_failed, [&] { decode_result(body, asked); });
  };
  for (const auto* fits : {"7", "0", "null", "7.0"})
    CHECK(with_id(fits) == "nothing was thrown");
  CHECK(with_id("0", 0) == "nothing was thrown");
  CHECK(decode_result(R"({"result":{"id":8}})", 7).root().text() == R"({"id":8})");
  CHECK(with_id("8") == "answer to another call: its id is 8, not 7");
  for (const auto* other : {"1", "-7", "7.5", "70", R"("7")", R"("")", "true", "false", "[]", R"({"id":7})"})
    CHECK_THAT(with_id(other), StartsWith("answer to another call: its id is "));
  CHECK(with_id("1e999") == "unparsable answer: id: is out of the range of numbers");
  CHECK(with_id('"' + std::string(1000, 'x') + '"').size() < 200);
  CHECK(complaint(errc::sub_agent_failed, [] { decode_result(R"({"error":"not found","id":8})", 7); }) ==
        "answer to another call: its id is 8, not 7");
}

TEST_CASE("an error in an answer is passed on, whatever its type") {
  CHECK(result_refusal(R"({"result":null,"error":"no \"such\" domain","id":1})") == "no \"such\" domain");
  CHECK(result_refusal(R"({"result":{},"error":"both"})") == "both");
  CHECK(result_refusal(R"({"error":{"code": -32601, "message":"x"}})") == "x");
  CHECK(result_refusal(R"({"error":false})") == "false");
  CHECK(result_refusal(R"({"error":0})") == "0");
  CHECK(result_refusal(R"({"error":""})") == "error without a text");
}

TEST_CASE("a stage result gives guest, message and retry") {
  const auto body = document::parse(R"({"guest":{"id":"g","x":1.10},"message":"m","retry":30,"other":[1]})");
  const auto result = decode_stage_result(body.root());
  REQUIRE(result.returned);
  CHECK(encode(*result.returned) == R"({"id":"g","x":1.10})");
  CHECK(result.message == "m");
  CHECK(result.retry_seconds == 30);
}

TEST_CASE("a stage may leave everything out") {
  for (const auto* body : {"{}", R"({"guest":null,"message":null,"retry":null})"}) {
    const auto result = decode_stage_result(document::parse(body).root());
    CHECK_FALSE(result.returned);
    CHECK(result.message.empty());
    CHECK(result.retry_seconds == 0);
  }
}

TEST_CASE("a stage result of the wrong shape is the sub-agent's failure") {
  CHECK(stage_refusal("[]") == "unparsable answer: result: must be an object");
  CHECK(stage_refusal("true") == "unparsable answer: result: must be an object");
  CHECK(stage_refusal("null") == "unparsable answer: result: must be an object");
  CHECK(stage_refusal(R"({"guest":[]})") == "unparsable answer: guest: must be an object");
  CHECK(stage_refusal(R"({"guest":"x"})") == "unparsable answer: guest: must be an object");
  CHECK(stage_refusal(R"({"guest":{"memory":-1}})") ==
        "unparsable answer: guest.memory: must be a non-negative whole number");
  CHECK(stage_refusal(R"({"guest":{"disks":[{"size":"1"}]}})") ==
        "unparsable answer: guest.disks[0].size: must be a non-negative whole number");
  CHECK(stage_refusal(R"({"message":1})") == "unparsable answer: message: must be a string");
  for (const auto* retry : {"-1", "1.5", "\"1\"", "1e2"})
    CHECK(stage_refusal(std::string{R"({"retry":)"} + retry + "}") ==
          "unparsable answer: retry: must be a non-negative whole number");
}
