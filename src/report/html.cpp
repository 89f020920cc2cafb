#include "html.hpp"

#include <cathoscope/core/error.hpp>

#include <fmt/format.h>

#include <cmath>

namespace cathoscope::report {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  return out;
}

std::string script_json(const Json& json) {
  std::string out;
  for (const char c : json.dump(-1, ' ', true, Json::error_handler_t::replace))
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

std::string filled(std::string_view page, const std::map<std::string, std::string>& parts) {
  std::string out;
  for (;;) {
    const std::size_t open = page.find("{{");
    out += page.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = page.find("}}", open);
    if (close == std::string_view::npos) fail(Exit::internal, "the report's page has {{{{ without }}}}");
    const std::string name(page.substr(open + 2, close - open - 2));
    const auto part = parts.find(name);
    if (part == parts.end()) fail(Exit::internal, "the report's page names the unknown part '{}'", name);
    out += part->second;
    page.remove_prefix(close + 2);
  }
}

std::string number_text(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  std::string text = fmt::format("{:.{}g}", value, digits);
  if (text.find('e') != std::string::npos && std::abs(value) >= 1 && std::abs(value) < 1e7)
    text = fmt::format("{:.0f}", value);  // 123456 rather than 1.23e+05
  return text;
}

namespace {

std::string percent_digits(double share) {
  if (!std::isfinite(share)) return "-";
  const double percent = 100 * share;
  return fmt::format("{:.{}f}", percent, std::abs(percent) < 9.95 ? 1 : 0);
}

}  // namespace

std::string percent_text(double share) { return std::isfinite(share) ? percent_digits(share) + " %" : "-"; }

std::string count_text(std::size_t n) {
  std::string text = std::to_string(n);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), "\xE2\x80\xAF");  // narrow no-break space
  return text;
}

std::string interval_text(const Interval& i) {
  if (!std::isfinite(i.low) || !std::isfinite(i.high)) return number_text(i.value);
  return fmt::format("{} [{}, {}]", number_text(i.value), number_text(i.low), number_text(i.high));
}

std::string percent_text(const Interval& i) {
  if (!std::isfinite(i.low) || !std::isfinite(i.high)) return percent_text(i.value);
  return fmt::format("{} [{}, {}]", percent_text(i.value), percent_digits(i.low), percent_digits(i.high));
}

std::string points_text(const Interval& i) {
  return fmt::format("{} percentage points [{}, {}]", percent_digits(i.value), percent_digits(i.low),
                     percent_digits(i.high));
}

std::string row_html(const std::vector<std::string>& cells) {
  std::string out = "<tr>";
  for (const auto& cell : cells) out += "<td>" + cell + "</td>";
  return out + "</tr>\n";
}

}  // namespace cathoscope::report
