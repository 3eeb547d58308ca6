# Run by the build: writes the C++ source of a page for browsers, of its style sheet or of its script.
#
# Usage: cmake -D FROM=http/pages/NAME.html -D SOURCE=NAME.cpp -P etc/embed-page.cmake
# A line of the file may be /* include FILE */, of the same folder: styles and scripts are files of their own.
cmake_path(GET FROM PARENT_PATH folder)
cmake_path(GET FROM STEM name)
file(READ ${FROM} page)
while(page MATCHES "/\\* include ([a-z_.]+) \\*/\n")
  set(line "${CMAKE_MATCH_0}")
  file(READ ${folder}/${CMAKE_MATCH_1} part)
  string(REPLACE "${line}" "${part}" page "${page}")
endwhile()
file(WRITE ${SOURCE} "#include \"http/pages.hpp\"

const std::string_view mistify::http::pages::${name} = R\"page(${page})page\";
")
