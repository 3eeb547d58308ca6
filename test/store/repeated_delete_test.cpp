#include "test/store/fixture.hpp"

using namespace mistify;
using namespace mistify::store;

namespace {

struct deleting_fixture : journal_fixture {
  queued_job queue(const std::string& job, const std::string& action, const std::string& request,
                   const std::string& of = "agent") {
    return batch([&] { return log->add_job({job, of, action, request, "", ""}); });
  }
};

const std::string image = R"({"id":"i","type":"kvm"})", other = R"({"id":"o","type":"kvm"})";

} // namespace

TEST_CASE_METHOD(deleting_fixture, "a second delete of an image is the first one until that has ended") {
  const std::string action = GENERATE("deleteImage", "containerDeleteImage");
  queue("d", action, image);
  CHECK_FALSE(queue("o", action, other).repeated);
  CHECK_FALSE(queue("f", "fetchImage", other).repeated); // of another image
  const auto waiting = queue("e", action, image);
  CHECK(waiting.repeated);
  CHECK(waiting.job.id == "d");
  CHECK(waiting.job.status == rpc::job_status::queued);
  start("d");
  CHECK(queue("e", action, image).job.id == "d");
  reopen();
  CHECK(queue("e", action, image).job.id == "d");
  complete("d");
  CHECK_FALSE(queue("e", action, image).repeated);
}

TEST_CASE_METHOD(deleting_fixture, "a delete behind a fetch of the image is one of its own") {
  queue("d", "deleteImage", image);
  queue("f", "fetchImage", GENERATE(R"({"id":"i","source":"http://a/b"})", R"({"source":"http://a/i"})"));
  CHECK_FALSE(queue("e", "deleteImage", image).repeated);
  CHECK(queue("g", "deleteImage", image).job.id == "e");
}

TEST_CASE_METHOD(deleting_fixture, "a second delete of a snapshot is the first one unless one is made between") {
  add_guest("g", "c");
  add_guest("h", "k");
  const std::string snapshot = R"({"id":"guests/g@s"})";
  queue("d", "deleteSnapshot", snapshot, "g");
  queue("b", "reboot", "", "g");
  const auto again = queue("e", "deleteSnapshot", snapshot, "g");
  CHECK(again.job.id == "d");
  CHECK(again.guest_doc == doc("g"));
  CHECK_FALSE(queue("t", "deleteSnapshot", R"({"id":"guests/g@t"})", "g").repeated);
  CHECK_FALSE(queue("x", "deleteSnapshot", snapshot, "h").repeated);
  queue("m", "createSnapshot", R"({"id":"guests/g","dest":"s"})", "g");
  CHECK_FALSE(queue("e", "deleteSnapshot", snapshot, "g").repeated);
}
