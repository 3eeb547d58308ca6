#include "rpc/fetch/sum_beside.hpp"

#include "rpc/fetch/sha256.hpp"
#include "rpc/fetch/text_content.hpp"

#include <curl/curl.h>
#include <memory>

namespace mistify::fetching {

namespace {

constexpr std::size_t max_sum_file = 64 * 1024;

class too_long {};

std::string decoded(const std::string& name) {
  int size = 0;
  const std::unique_ptr<char, decltype(&curl_free)> text{
    curl_easy_unescape(nullptr, name.c_str(), static_cast<int>(name.size()), &size), &curl_free};
  return text ? std::string{text.get(), static_cast<std::size_t>(size)} : name;
}

bool is_absent(const source_error& e) {
  return e.status() != 0 && e.status() < 500;
}

sum_beside sum_in(const std::string& text, const std::string& source, const std::string& shown) {
  if (auto sum = find_sha256(text, decoded(file_name_of(source))))
    return {std::move(*sum), {}};
  return {{}, shown + " has no sum of the image"};
}

} // namespace

sum_beside find_sum_beside(const std::string& source, patience how, const reader_settings& settings,
                           const std::function<bool()>& stop) {
  const auto url = beside(source, ".sha256"), shown = without_secrets(url);
  std::string text;
  how.after_refusals = false;
  try {
    patient_reader from{url, how, settings, stop};
    from.read([&](std::int64_t, std::int64_t) { text.clear(); },
              [&](std::string_view bytes) {
                if (bytes.size() > max_sum_file - text.size())
                  throw too_long{};
                text += bytes;
              });
    if (from.content_type().starts_with("text/html") || is_markup(text))
      return {};
  } catch (const too_long&) {
    return {};
  } catch (const cancelled&) {
    throw;
  } catch (const redirect_refused& e) {
    return {{}, shown + ": " + e.what()};
  } catch (const source_refused& e) {
    throw source_refused{shown + ": " + e.what()};
  } catch (const source_error& e) {
    if (e.status() >= 200 && e.status() < 300) // it is there, in a form that cannot be read
      return {{}, shown + ": " + e.what()};
    if (is_absent(e))
      return {};
    throw source_error{shown + ": " + e.what(), false, e.status()};
  }
  return sum_in(text, source, shown);
}

} // namespace mistify::fetching
