#pragma once

#include <string_view>

/// The pages that browsers get, whole: http/pages/NAME.html is `pages::NAME`, its style sheet `pages::NAME_style` and its
/// script `pages::NAME_script`. The build writes the definitions (`embed` in CMakeLists.txt), and puts in what a file
/// names as `/* include FILE */`. A page that is not declared here does not compile; one that is not there does not link.
namespace mistify::http::pages {

extern const std::string_view actors, actors_style, actors_script, docs, docs_style, docs_script, pprof;

} // namespace mistify::http::pages
