#include "rpc/fetch/fetch_options.hpp"

#include "rpc/fetch/units.hpp"

#include <chrono>
#include <utility>

namespace mistify::fetching {

fetch_options::fetch_options(unsigned max_image, std::string max_image_help)
  : max_image_{max_image}, max_image_help_{std::move(max_image_help)} {}

void fetch_options::add_to(rpc::command_line& options) {
  constexpr unsigned most_megabytes = 64 * 1024 * 1024, most_kibibytes = 1024 * 1024, most_minutes = 365 * 24 * 60;
  options.option("--max-image", max_image_, max_image_help_, most_megabytes);
  options.option("--allow-net", reading_.nets,
                 "network (CIDR) that images may come from beside the Internet; may be given several times");
  options.option("--least-rate", least_rate_, "KiB a second that a source has to send, over 30 s", most_kibibytes);
  options.option("--fetch-time", fetch_time_, "minutes that a fetch may take", most_minutes);
  options.option("--files", reading_.files,
                 "folder that file:// URLs of images may lead into; may be given several times. None: any file");
  options.option("--ca-file", reading_.ca_file, "certificates to trust at https, instead of the system's");
}

void fetch_options::set(fetch_settings& to) const {
  constexpr unsigned kibibyte = 1024;
  to.reading.nets = reading_.nets;
  to.reading.files = reading_.files;
  to.reading.ca_file = reading_.ca_file;
  to.reading.least_rate = least_rate_ * kibibyte;
  to.limits.max_size = max_image_ * megabyte;
  to.limits.time = std::chrono::minutes{fetch_time_};
}

} // namespace mistify::fetching
