#pragma once
/// Text, numbers and JSON as parts of a page. Whatever comes from outside passes through escaped() or script_json().

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope::report {

using Json = nlohmann::ordered_json;

/// Text between tags or in a quoted attribute.
std::string escaped(std::string_view text);

/// JSON inside <script type="application/json">: no character ends the element. Bytes that are no UTF-8 are replaced.
std::string script_json(const Json& json);

/// The template with each {{name}} replaced once; what is put in is not looked at again. Throws Error{internal} where the
/// template names something that is not given.
std::string filled(std::string_view page, const std::map<std::string, std::string>& parts);

/// At most `digits` significant digits; "-" where there is no number.
std::string number_text(double value, int digits = 3);
/// A share as "7.3 %".
std::string percent_text(double share);
/// A whole number with thin groups: "12 345".
std::string count_text(std::size_t n);

/// A number with its 95 % interval. NaN where unknown.
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
};
/// "0.12 [0.08, 0.18]"
std::string interval_text(const Interval& i);
/// "7.3 % [6.1, 8.8]"
std::string percent_text(const Interval& i);
/// A difference of shares: "4.6 percentage points [2.9, 6.4]"
std::string points_text(const Interval& i);

/// "<tr><td>...</td>...</tr>" of texts that are HTML already.
std::string row_html(const std::vector<std::string>& cells);

}  // namespace cathoscope::report
