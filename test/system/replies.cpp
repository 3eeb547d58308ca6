#include "json_path.hpp"
#include "sub_agent.hpp"

#include <utility>

namespace mistify::test {

namespace {

reply envelope(const call& asked, std::string_view result, std::string_view error) {
  std::string body{"{\"result\":"};
  body.append(result).append(",\"error\":").append(error).append(",\"id\":").append(asked.id).append("}\n");
  return http_reply(200, std::move(body));
}

} // namespace

reply result(const call& asked, std::string_view json) {
  return envelope(asked, json, "null");
}

reply echo(const call& asked) {
  return result(asked, R"({"guest":)" + at(asked.params, "guest") + "}");
}

reply rpc_error(const call& asked, std::string_view json) {
  return envelope(asked, "null", json);
}

reply http_reply(int status, std::string body) {
  reply made;
  made.status = status;
  made.bytes = std::move(body);
  return made;
}

reply raw_reply(std::string bytes) {
  reply made;
  made.what = reply::kind::raw;
  made.bytes = std::move(bytes);
  return made;
}

reply hang() {
  reply made;
  made.what = reply::kind::hang;
  return made;
}

reply download(std::function<bool(const write_bytes&)> stream, std::int64_t length) {
  reply made;
  made.what = reply::kind::download;
  made.content_type = "application/octet-stream";
  made.stream = std::move(stream);
  made.length = length;
  return made;
}

} // namespace mistify::test
