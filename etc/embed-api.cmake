# Run by the build: writes the C++ source of the descriptions of the API, see http/api/openapi.hpp.
#
# Usage: cmake -D FROM=http/api/descriptions -D SOURCE=FILE.cpp -P etc/embed-api.cmake
file(GLOB files ${FROM}/*.json)
foreach(file ${files})
  file(READ ${file} text)
  string(APPEND parts "  R\"json(${text})json\",\n")
endforeach()
file(WRITE ${SOURCE} "#include \"http/api/openapi.hpp\"

namespace {
constexpr std::string_view parts[] = {
${parts}};
} // namespace

const std::span<const std::string_view> mistify::http::api_parts{parts};
")
