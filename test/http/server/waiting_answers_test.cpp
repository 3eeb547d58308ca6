#include "http/server/waiting_answers.hpp"

#include <catch2/catch.hpp>

using namespace mistify::http;

namespace {

constexpr std::size_t kb = 1024;

watch_key client(std::uint32_t number) {
  return {static_cast<int>(number), number};
}

std::vector<std::uint32_t> numbers(const std::vector<watch_key>& keys) {
  std::vector<std::uint32_t> found;
  for (const auto& key : keys)
    found.push_back(key.generation);
  return found;
}

using gone = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("bytes count while they wait, and shared ones once") {
  waiting_answers all{1000 * kb};
  const auto list = std::make_shared<const std::string>(100 * kb, 'x');
  all.hold(client(1), {10 * kb, list}, 0);
  all.hold(client(2), {20 * kb, list}, 0);
  CHECK(all.bytes() == 130 * kb);
  all.hold(client(2), {5 * kb, list}, 10);
  CHECK(all.bytes() == 115 * kb);
  all.release(client(1));
  CHECK(all.bytes() == 105 * kb);
  all.release(client(2));
  all.release(client(2));
  CHECK(all.bytes() == 0);
}

TEST_CASE("shared bytes are kept as long as they count, whoever else has let them go") {
  waiting_answers all{1000 * kb};
  auto list = std::make_shared<const std::string>(100 * kb, 'x');
  const std::weak_ptr<const std::string> seen = list;
  all.hold(client(1), {10 * kb, list}, 0);
  list.reset();
  CHECK(all.bytes() == 110 * kb);
  all.release(client(1));
  CHECK(all.bytes() == 0);
  CHECK(seen.expired());
}

TEST_CASE("beyond the bound the slowest client goes first, and its bytes with it") {
  waiting_answers all{100 * kb};
  all.hold(client(1), {40 * kb, nullptr, 0}, 0);
  all.hold(client(2), {40 * kb, nullptr, 0}, 0);
  all.hold(client(1), {40 * kb, nullptr, 100}, 5'000); // drips
  all.hold(client(2), {40 * kb, nullptr, 90'000}, 5'000);
  CHECK(numbers(all.hold(client(3), {40 * kb, nullptr, 0}, 5'000)) == gone{1});
  CHECK(all.bytes() == 80 * kb);
  all.release(client(1)); // when it closes
  CHECK(all.bytes() == 80 * kb);
}

TEST_CASE("of clients that take nothing the one goes that waits longest") {
  waiting_answers all{100 * kb};
  all.hold(client(2), {40 * kb}, 0);
  all.hold(client(1), {40 * kb}, 10);
  CHECK(numbers(all.hold(client(3), {40 * kb}, 2'000)) == gone{2});
}

TEST_CASE("a client that has only begun to wait is not taken for a slow one") {
  waiting_answers all{100 * kb};
  all.hold(client(1), {60 * kb, nullptr, 0}, 0);
  all.hold(client(1), {60 * kb, nullptr, 500}, 9'000);
  CHECK(numbers(all.hold(client(2), {60 * kb, nullptr, 0}, 9'900)) == gone{1});
}

TEST_CASE("closing readers that share a list frees nothing: one with bytes of its own goes") {
  waiting_answers all{100 * kb};
  const auto list = std::make_shared<const std::string>(50 * kb, 'x');
  all.hold(client(1), {0, list}, 0);
  all.hold(client(2), {0, list}, 0);
  all.hold(client(3), {40 * kb, nullptr, 0}, 1'000);
  CHECK(numbers(all.hold(client(4), {40 * kb, nullptr, 0}, 60'000)) == gone{3});
  CHECK(all.bytes() == 90 * kb);
}

TEST_CASE("as many go as it takes, but one that is alone stays") {
  waiting_answers all{100 * kb};
  all.hold(client(1), {30 * kb}, 0);
  all.hold(client(2), {30 * kb}, 0);
  all.hold(client(3), {30 * kb}, 0);
  CHECK(all.hold(client(4), {90 * kb}, 100).size() == 3);
  CHECK(all.bytes() == 90 * kb);
  CHECK(all.hold(client(4), {200 * kb}, 200).empty());
}

TEST_CASE("a lower bound counts when bytes are held next") {
  waiting_answers all{1000 * kb};
  all.hold(client(1), {300 * kb, nullptr, 0}, 0);
  all.hold(client(2), {300 * kb, nullptr, 0}, 0);
  all.set_most(400 * kb);
  CHECK(all.bytes() == 600 * kb);
  CHECK(all.hold(client(2), {300 * kb, nullptr, 100}, 5000).size() == 1);
  CHECK(all.bytes() == 300 * kb);
}
