#include "fake_etcd.hpp"

#include "rpc/base/json.hpp"
#include "rpc/etcd/base64.hpp"
#include "test/system/json_path.hpp"

namespace mistify::test {

fake_etcd::fake_etcd(keys all)
  : all_{std::move(all)}, server_{[this](const std::string& request, std::size_t, int fd) {
      send_all(fd, answer(request));
    }} {}

std::string fake_etcd::answer(const std::string& request) const {
  if (!request.starts_with("POST /v3/kv/range "))
    return answer_text("404 page not found\n", "404 Not Found");
  const auto body = request.substr(request.find("\r\n\r\n") + 4);
  const auto from = rpc::etcd::from_base64(text_at(body, "key")),
             to = rpc::etcd::from_base64(text_at(body, "range_end"));
  rpc::json::writer out;
  out.begin_object().key("header").begin_object().key("revision").value("7").end_object().key("kvs").begin_array();
  for (auto at = all_.lower_bound(from.value()); at != all_.end() && at->first < to.value(); ++at) {
    out.begin_object().key("key").value(rpc::etcd::to_base64(at->first)).key("mod_revision").value("7");
    out.key("value").value(rpc::etcd::to_base64(at->second)).end_object();
  }
  out.end_array().end_object();
  return answer_text(std::move(out).str());
}

} // namespace mistify::test
