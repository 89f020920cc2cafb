#pragma once
/// The files of src/report/page/ as they were when the program was built (cmake/embed.cmake).

#include <string_view>

namespace cathoscope::report::page {

extern const std::string_view page_html;
extern const std::string_view style_css;
extern const std::string_view three_min_js;
extern const std::string_view three_LICENSE_txt;
extern const std::string_view data_js;
extern const std::string_view tables_js;
extern const std::string_view surfaces_js;
extern const std::string_view slices_js;
extern const std::string_view scene_js;
extern const std::string_view view_js;
extern const std::string_view page_js;

}  // namespace cathoscope::report::page
