#include "seed.hpp"

#include "store/journal.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <string_view>

namespace mistify::bench {

namespace {

constexpr std::size_t batch = 1000;

/// `stem` is a UUID without its last twelve digits.
std::string uuid(std::string_view stem, std::size_t index) {
  std::array<char, 24> digits{};
  const auto length = std::snprintf(digits.data(), digits.size(), "%012zx", index);
  return std::string{stem}.append(digits.data(), static_cast<std::size_t>(length));
}

/// Calls `step` for each index, a batch a commit.
void in_batches(store::journal& log, std::size_t begin, std::size_t end,
                const std::function<void(std::size_t index)>& step) {
  for (auto i = begin; i < end;) {
    log.begin();
    for (const auto last = std::min(end, i + batch); i < last; ++i)
      step(i);
    log.commit();
  }
}

/// Of living guests none has another's, nor another's VNC port.
std::string mac_of(std::size_t index) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "52:54:00:%02zx:%02zx:%02zx", (index >> 16U) & 255U, (index >> 8U) & 255U,
                index & 255U);
  return text.data();
}

void end_job(store::journal& log, const std::string& id) {
  log.record({id, store::guest_unchanged{}, store::stage_starts{0, "Test.Reboot"}});
  log.record({id, store::guest_unchanged{}, store::job_ends{rpc::job_status::complete, ""}});
}

} // namespace

std::string guest_id(std::size_t index) {
  return uuid("00000000-0000-4000-8000-", index);
}

std::string job_id(std::size_t index) {
  return uuid("00000000-0000-4000-9000-", index);
}

rpc::guest sample_guest(std::size_t index) {
  rpc::guest made;
  made.id = guest_id(index);
  made.state = "running";
  made.wanted = "on";
  made.extra = {{"name", R"("guest-)" + std::to_string(index) + '"'},
                {"labels", R"({"tier":"web"})"},
                {"power", R"({"boot":"last","restart":"always","order":1,"delay":1})"}};
  made.memory = 512;
  made.cpu = 1;
  made.vnc = 5900 + static_cast<std::int64_t>(index);
  rpc::nic lan;
  lan.name = "net0", lan.network = "lan", lan.model = "virtio", lan.mac = mac_of(index), lan.device = "vnet0.0";
  made.nics.push_back(lan);
  rpc::disk root;
  root.bus = "virtio", root.device = "vda", root.size = 1024;
  root.volume = "guests/" + made.id + "/disk-0", root.source = "/dev/zvol/" + root.volume;
  made.disks.push_back(root);
  made.metadata = {{"owner", "bench"}};
  return made;
}

void seed(const std::string& file, std::size_t guests, std::size_t jobs) {
  store::guest_index published;
  store::journal_settings settings;
  settings.path = file;
  settings.keep_jobs = jobs;
  store::journal log{settings, published};
  in_batches(log, 0, guests, [&](std::size_t i) {
    const auto create = uuid("00000000-0000-4000-a000-", i);
    log.add_guest(sample_guest(i), {create, guest_id(i), "create", "", "", "digest"});
    end_job(log, create);
  });
  // The log then holds these only: the creates are older.
  in_batches(log, 0, guests == 0 ? 0 : jobs, [&](std::size_t i) {
    log.add_job({job_id(i), guest_id(i % guests), "reboot", "", "", ""});
    end_job(log, job_id(i));
  });
}

} // namespace mistify::bench
