#include "house.hpp"
#include "lowered_limit.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <memory>
#include <vector>

using namespace mistify::test;

namespace {

std::unique_ptr<house> house_with(__rlimit_resource what, rlim_t soft) {
  const lowered_limit lower{what, soft};
  return std::make_unique<house>();
}

} // namespace

TEST_CASE("more clients than a shell's limit on open files keep nobody waiting") {
  const auto h = house_with(RLIMIT_NOFILE, 256);
  std::vector<std::unique_ptr<raw_client>> idle;
  for (int i = 0; i < 400; ++i)
    idle.push_back(std::make_unique<raw_client>(h->http.port()));
  CHECK(h->http.get("/guests").status == 200);
  h->create_guest();
}

TEST_CASE("a limit on the size of files is a full disk, not the end") {
  const auto h = house_with(RLIMIT_FSIZE, 512 * 1024);
  const auto id = h->create_guest();
  // One key: the metadata stay within their bound, and the log of the database grows with each change.
  const auto large = [](int i) { return R"({"k":")" + std::to_string(i) + std::string(50'000, 'x') + "\"}"; };
  int status = 200;
  for (int i = 0; i < 100 && status == 200; ++i) {
    const auto answer = h->http.patch("/metadata", large(i));
    status = answer.status;
    if (status != 200)
      CHECK_FALSE(error_message(answer).empty());
  }
  CHECK(status == 503);
  CHECK(h->http.get("/guests/" + id).status == 200);
  CHECK(h->healthy());
}
