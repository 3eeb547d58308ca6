#pragma once

#include <string_view>

/// The pages for browsers: http/pages/NAME.html is `pages::NAME`, its style sheet `pages::NAME_style` and its script
/// `pages::NAME_script`. The build generates the definitions (`embed` in CMakeLists.txt) and expands `/* include FILE
/// */` in the files. A page that is not declared here does not compile; a declared page without a file does not link.
namespace mistify::http::pages {

extern const std::string_view actors, actors_style, actors_script, docs, docs_style, docs_script, pprof;

} // namespace mistify::http::pages
