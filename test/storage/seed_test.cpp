#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/seed.hpp"
#include "rpc/agents/storage/storage_agent.hpp"
#include "rpc/model/nic_address.hpp"
#include "test/rpc/agent_calls.hpp"
#include "test/system/json_path.hpp"
#include "test/system/temp_dir.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <sys/stat.h>

using namespace mistify;
using namespace mistify::agents::storage;
using test::at;
using test::text_at;

namespace {

constexpr const char* id = "0a1b2c3d-0000-4000-8000-000000000001";

/// The files of an ISO image, with their texts.
std::map<std::string, std::string> files_in(const std::string& image) {
  const std::unique_ptr<archive, int (*)(archive*)> in{::archive_read_new(), ::archive_read_free};
  ::archive_read_support_format_iso9660(in.get());
  REQUIRE(::archive_read_open_memory(in.get(), image.data(), image.size()) == ARCHIVE_OK);
  std::map<std::string, std::string> found;
  for (archive_entry* entry = nullptr; ::archive_read_next_header(in.get(), &entry) == ARCHIVE_OK;) {
    if (::archive_entry_filetype(entry) != AE_IFREG)
      continue;
    std::string text(static_cast<std::size_t>(::archive_entry_size(entry)), '\0');
    REQUIRE(::archive_read_data(in.get(), text.data(), text.size()) == static_cast<la_ssize_t>(text.size()));
    found[::archive_entry_pathname(entry)] = text;
  }
  return found;
}

rpc::guest guest_with(const std::string& nics) {
  return rpc::decode_guest(R"({"id":")" + std::string{id} + R"(","nics":)" + nics + "}");
}

std::string network_of(const std::string& nics) {
  auto g = guest_with(nics);
  return make_seed_files(g, {}).network_config;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The sub-agent, called as the agent does.
struct seed_lab {
  test::temp_dir dir;
  std::filesystem::path seed = dir.path() / "store/seeds" / (std::string{id} + ".iso");
  std::optional<storage_agent> agent{std::in_place, 0, std::make_unique<directory_store>(dir.path() / "store")};
  test::caller rpc{agent->server()};

  std::string call(const std::string& method, const std::string& members) {
    return rpc("ImageStore." + method, R"({"guest":{"id":")" + std::string{id} + '"' + members + R"(},"action":"x"})");
  }
};

} // namespace

TEST_CASE("a seed is an ISO image with the label and the files that cloud-init looks for") {
  const std::string user_data = "#cloud-config\n# \xc3\xa4 " + std::string(30'000, 'x') + "\n";
  const auto image = build_seed({user_data, "{}\n", "{\"version\":2}\n"});
  CHECK(image.size() % 2048 == 0);
  CHECK(image.substr(16 * 2048 + 1, 5) == "CD001");
  CHECK(image.substr(16 * 2048 + 40, 32) == "cidata" + std::string(26, ' '));
  const auto files = files_in(image);
  REQUIRE(files.size() == 3);
  CHECK((files.at("user-data") == user_data));
  CHECK(files.at("meta-data") == "{}\n");
  CHECK(files.at("network-config") == "{\"version\":2}\n");
  const auto small = files_in(build_seed({"", "{}", ""}));
  CHECK(small.size() == 2);
  CHECK(small.at("user-data").empty());
}

TEST_CASE("the meta-data name the instance, the host and its keys, whatever characters are in them") {
  auto g = guest_with("[]");
  const auto files = make_seed_files(g, {"x", {}, {"ssh-ed25519 AAAA ann \"a\": b", "k2"}, "web-1.example"});
  CHECK(files.user_data == "x");
  CHECK(text_at(files.meta_data, "instance-id") == id);
  CHECK(text_at(files.meta_data, "local-hostname") == "web-1.example");
  CHECK(at(files.meta_data, "public-keys") == R"(["ssh-ed25519 AAAA ann \"a\": b","k2"])");
  CHECK(files.network_config.empty());
  CHECK(at(make_seed_files(g, {}).meta_data, "local-hostname") == "(absent)");
}

TEST_CASE("a network config is made from the nics, by their macs") {
  const auto made = network_of(
    R"([{"network":"a","mac":"52:54:00:AB:00:01","address":"192.0.2.7","netmask":"255.255.255.128","gateway":"192.0.2.1"},
        {"network":"b","mac":"52:54:00:ab:00:02"},
        {"network":"c","mac":"52:54:00:ab:00:03","address":"2001:db8::7","netmask":"64","gateway":"2001:db8::1"},
        {"network":"d","mac":"52:54:00:ab:00:04","address":"198.51.100.9/30"}])");
  CHECK(at(made, "version") == "2");
  CHECK(at(made, "ethernets/nic0") == R"({"match":{"macaddress":"52:54:00:ab:00:01"},"addresses":["192.0.2.7/25"],)"
                                      R"("routes":[{"to":"0.0.0.0/0","via":"192.0.2.1"}]})");
  CHECK(at(made, "ethernets/nic1") == R"({"match":{"macaddress":"52:54:00:ab:00:02"},"dhcp4":true})");
  CHECK(at(made, "ethernets/nic2/addresses") == R"(["2001:db8::7/64"])");
  CHECK(at(made, "ethernets/nic2/routes/0/to") == "\"::/0\"");
  CHECK(at(made, "ethernets/nic3/addresses") == R"(["198.51.100.9/30"])");
}

TEST_CASE("a nic without a mac gets one that stays the same, and a config of the client's is taken as it is") {
  auto g = guest_with(R"([{"network":"a"},{"network":"a"}])");
  const auto config = make_seed_files(g, {}).network_config;
  CHECK_THAT(g.nics[0].mac, Catch::Matchers::Matches("52:54:00(:[0-9a-f]{2}){3}"));
  CHECK(g.nics[0].mac != g.nics[1].mac);
  CHECK(text_at(config, "ethernets/nic1/match/macaddress") == g.nics[1].mac);
  auto again = guest_with(R"([{"network":"a"},{"network":"a"}])");
  CHECK(make_seed_files(again, {}).network_config == config);
  auto own = guest_with(R"([{"network":"a","address":"nonsense"}])");
  CHECK(make_seed_files(own, {"", "version: 1\n", {}, ""}).network_config == "version: 1\n");
  CHECK(own.nics[0].mac.empty());
}

TEST_CASE("addresses that make no sense are refused by the nic's name") {
  const auto refusal = [](const std::string& members) {
    try {
      network_of(R"([{"network":"a"},{"network":"b",)" + members + "}]");
    } catch (const std::invalid_argument& e) {
      return std::string{e.what()};
    }
    return std::string{};
  };
  CHECK(refusal(R"("address":"192.0.2")") == "nics[1].address: is no IP address");
  CHECK(refusal(R"("address":"192.0.2.7")") == "nics[1].netmask: is needed beside an address");
  CHECK(refusal(R"("address":"192.0.2.7","netmask":"255.0.255.0")") ==
        "nics[1].netmask: must have all its ones before its zeros");
  CHECK(refusal(R"("address":"192.0.2.7","netmask":"24","gateway":"::1")") ==
        "nics[1].gateway: is no address of the same kind");
}

TEST_CASE("a netmask is dotted, hexadecimal or a length") {
  for (const auto* text : {"255.255.255.0", "ffffff00", "0xFFFFFF00", "24", "/24"})
    CHECK(rpc::prefix_length(text, false) == 24);
  CHECK(rpc::prefix_length("0.0.0.0", false) == 0);
  CHECK(rpc::prefix_length("255.255.255.255", false) == 32);
  CHECK(rpc::prefix_length("ffffffff", false) == 32);
  CHECK(rpc::prefix_length("0", false) == 0);
  CHECK(rpc::prefix_length("128", true) == 128);
  for (const auto* bad : {"", "33", "-1", "255.255.255", "ffffff0", "fffffff1", "2 4", "+24", "0024", "x"})
    CHECK_THROWS_AS(rpc::prefix_length(bad, false), std::invalid_argument);
  CHECK_THROWS_AS(rpc::prefix_length("129", true), std::invalid_argument);
  CHECK_THROWS_AS(rpc::prefix_length("255.255.255.0", true), std::invalid_argument);
}

TEST_CASE_METHOD(seed_lab, "a guest with cloud_init gets a seed, which is no disk, in no snapshot, and goes with it") {
  const std::string init = R"(,"cloud_init":{"user_data":"#!/bin/sh\n","hostname":"web"})";
  const auto made = call("CreateSeed", init + R"(,"nics":[{"network":"a"}])");
  CHECK(at(made, "guest/disks") == "(absent)");
  CHECK_THAT(text_at(made, "guest/nics/0/mac"), Catch::StartsWith("52:54:00:"));
  const auto first = text_of(seed);
  CHECK(files_in(first).at("user-data") == "#!/bin/sh\n");
  struct stat facts {};
  REQUIRE(::stat(seed.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0400);
  call("CreateSeed", init + R"(,"nics":[{"network":"a"}])");
  CHECK((files_in(text_of(seed)) == files_in(first))); // an ISO has the second in which it was made
  CHECK(at(rpc("ImageStore.ListVolumes", "{}"), "volumes") == "[]");
  call("CreateGuestDisks", R"(,"disks":[{"size":8}])");
  rpc("ImageStore.CreateSnapshot", R"({"id":"guests/)" + std::string{id} + R"(","dest":"a","recursive":true})");
  CHECK(std::filesystem::exists(seed));
  call("DeleteGuestsDisks", R"(,"disks":[])");
  CHECK_FALSE(std::filesystem::exists(seed));
  call("DeleteGuestsDisks", R"(,"disks":[])");
  CHECK(std::filesystem::is_empty(dir.path() / "store/.staging"));
}

TEST_CASE_METHOD(seed_lab, "a guest without cloud_init has no seed, not even that of an earlier one") {
  call("CreateSeed", "");
  CHECK_FALSE(std::filesystem::exists(seed));
  call("CreateSeed", R"(,"cloud_init":{"user_data":"x"})");
  CHECK(std::filesystem::exists(seed));
  call("CreateSeed", "");
  CHECK_FALSE(std::filesystem::exists(seed));
}

TEST_CASE_METHOD(seed_lab, "a seed stays over a restart of the store, for those who may read it") {
  call("CreateSeed", R"(,"cloud_init":{"user_data":"x"})");
  agent.reset();
  const directory_store again{dir.path() / "store", 100, file_access{::getegid()}};
  struct stat facts {};
  REQUIRE(::stat(seed.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0440);
  REQUIRE(::stat(seed.parent_path().c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 02750);
}

TEST_CASE_METHOD(seed_lab, "a seed for which there is no room is refused as a disk is") {
  auto store = std::make_unique<directory_store>(dir.path() / "full");
  store->space().set({.reserve = UINT64_MAX / 2});
  storage_agent full{0, std::move(store)};
  CHECK_THROWS_WITH(test::caller{full.server()}("ImageStore.CreateSeed", R"({"guest":{"id":")" + std::string{id} +
                                                                           R"(","cloud_init":{}},"action":"x"})"),
                    Catch::Contains("no space left on device"));
  CHECK_FALSE(std::filesystem::exists(dir.path() / "full/seeds"));
}

TEST_CASE_METHOD(seed_lab, "a refused cloud_init is named, not quoted") {
  CHECK_THROWS_WITH(call("CreateSeed", R"(,"cloud_init":{"user_data":5})"), Catch::Contains("cloud_init.user_data"));
  CHECK_THROWS_WITH(rpc("ImageStore.CreateSeed", R"({"guest":{"id":"../x","cloud_init":{}},"action":"x"})"),
                    Catch::Contains("id"));
}
