#include "actors/guests/guest_metrics_cache.hpp"

#include "http/api/views/guest_metrics_page.hpp"
#include "rpc/base/error.hpp"

#include <catch2/catch.hpp>

using namespace mistify::actors;
using mistify::http::show_guest_metrics;

namespace {

const auto json = mistify::rpc::json::document::parse;

std::string page_of(const guest_metrics_cache& store) {
  std::string page;
  show_guest_metrics(store.all(), [&](std::string_view piece) {
    page += piece;
    return true;
  });
  return page;
}

bool has(const std::string& page, const std::string& line) {
  return page.find('\n' + line + '\n') != std::string::npos;
}

} // namespace

TEST_CASE("figures are shown by guest and device, 64-bit numbers as they are up to 2^53") {
  guest_metrics_cache store{256};
  store.keep("g1", figure_kind::cpu,
             json(R"({"cpu":[{"cpu_time":1.5,"vcpu_time":0.25},{"cpu_time":2,"vcpu_time":0}]})").root());
  store.keep("g1", figure_kind::disk, json(R"({"disk":{"vda":{"read_ops":7,"write_bytes":9007199254740991}}})").root());
  store.keep("g2", figure_kind::nic, json(R"({"nic":{"eth\"0":{"rx_bytes":3,"tx_drops":4}}})").root());
  const auto page = page_of(store);
  CHECK(has(page, R"(mistify_guest_cpu_seconds_total{guest="g1",cpu="0"} 1.5)"));
  CHECK(has(page, R"(mistify_guest_vcpu_seconds_total{guest="g1",cpu="1"} 0)"));
  CHECK(has(page, R"(mistify_guest_disk_reads_total{guest="g1",disk="vda"} 7)"));
  CHECK(has(page, R"(mistify_guest_disk_written_bytes_total{guest="g1",disk="vda"} 9007199254740991)"));
  CHECK(has(page, R"(mistify_guest_network_receive_bytes_total{guest="g2",device="eth\"0"} 3)"));
  CHECK(has(page, R"(mistify_guest_network_transmit_drops_total{guest="g2",device="eth\"0"} 4)"));
  CHECK(page.find(R"(mistify_guest_metrics_age_seconds{guest="g1"} )") != std::string::npos);
}

TEST_CASE("a new answer replaces the old one of its kind only, and one that cannot be read replaces nothing") {
  guest_metrics_cache store{256};
  store.keep("g", figure_kind::disk, json(R"({"disk":{"vda":{"read_ops":1}}})").root());
  store.keep("g", figure_kind::nic, json(R"({"nic":{"eth0":{}}})").root());
  store.keep("g", figure_kind::disk, json(R"({"disk":{"vdb":{"read_ops":2}}})").root());
  for (const auto* bad : {"1", "[]", R"({"disk":[]})", R"({"disk":{"vdc":{"read_ops":"many"}}})"})
    CHECK_THROWS_AS(store.keep("g", figure_kind::disk, json(bad).root()), mistify::rpc::failure);
  const auto figures = store.all().at(0);
  CHECK(figures->disks.size() == 1);
  CHECK(figures->disks.contains("vdb"));
  CHECK(figures->nics.contains("eth0"));
}

TEST_CASE("what a guest does not have any more is gone from the page, and so are guests that are gone") {
  guest_metrics_cache store{256};
  store.keep("g1", figure_kind::cpu, json(R"({"cpu":[{}]})").root());
  store.keep("g2", figure_kind::cpu, json(R"({"cpu":[{}]})").root());
  store.drop("g1", figure_kind::cpu);
  CHECK(page_of(store).find("g1") == std::string::npos);
  CHECK(page_of(store).find("g2") != std::string::npos);
  store.retain([](const std::string& guest) { return guest != "g2"; });
  CHECK(page_of(store).find("g2") == std::string::npos);
}

TEST_CASE("the age of a guest's figures is that of the oldest") {
  guest_metrics_cache store{256};
  store.keep("g", figure_kind::cpu, json(R"({"cpu":[]})").root());
  const auto first = store.all().at(0)->oldest();
  store.keep("g", figure_kind::nic, json(R"({"nic":{}})").root());
  CHECK(store.all().at(0)->oldest() == first);
  store.keep("g", figure_kind::cpu, json(R"({"cpu":[]})").root());
  CHECK(store.all().at(0)->oldest() >= first);
}

TEST_CASE("a reader that leaves is written nothing more") {
  guest_metrics_cache store{256};
  store.keep("g", figure_kind::cpu, json(R"({"cpu":[{}]})").root());
  int pieces = 0;
  show_guest_metrics(store.all(), [&](std::string_view) {
    ++pieces;
    return false;
  });
  CHECK(pieces == 1);
}

TEST_CASE("of more devices than are kept the first ones stay, with names that are no longer than a label may be") {
  guest_metrics_cache store{2};
  const std::string longest(300, 'n');
  store.keep("g", figure_kind::nic,
             json(R"({"nic":{"b":{"rx_bytes":1},"a":{"rx_bytes":2},"c":{},"b":{"rx_bytes":3}}})").root());
  store.keep("g", figure_kind::disk, json(R"({"disk":{")" + longest + R"(":{"disk":")" + longest + R"("}}})").root());
  store.keep("g", figure_kind::cpu, json(R"({"cpu":[{"cpu_time":1},{"cpu_time":2},{"cpu_time":3}]})").root());
  const auto kept = store.all().front();
  REQUIRE(kept->nics.size() == 2);
  CHECK(kept->nics.at("a").rx_bytes == 2);
  CHECK(kept->nics.at("b").rx_bytes == 3);
  REQUIRE(kept->disks.size() == 1);
  CHECK(kept->disks.begin()->first.size() <= 256);
  CHECK(kept->disks.begin()->second.disk.size() <= 256);
  CHECK(kept->cpus.size() == 2);
}
