#include "checkpoint.hpp"

#include <cathoscope/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace cathoscope {

namespace {

std::string field(double value) { return std::isnan(value) ? "" : text_of(value); }

/// A panel of the drawing: one term of the loss, training and validation.
struct Panel {
  double left = 0;
  const char* title = "";
  std::size_t term = 0;
};

constexpr double panel_width = 250, panel_height = 200, top = 30, gap = 60;

struct Axes {
  double last = 1;             ///< iteration at the right
  double low = 0.1, high = 1;  ///< powers of ten
};

Axes axes_of(const std::vector<CurvePoint>& curve, std::size_t term) {
  double low = 1e300, high = 1e-300, last = 1;
  for (const auto& p : curve) {
    last = std::max(last, static_cast<double>(p.iteration));
    for (const double v : {p.training[term], p.validation[term]})
      if (v > 0) low = std::min(low, v), high = std::max(high, v);
  }
  if (low > high) return {last, 0.1, 1};
  const double floor_low = std::pow(10, std::floor(std::log10(low)));
  return {last, floor_low, std::max(floor_low * 10, std::pow(10, std::ceil(std::log10(high))))};
}

double height_of(double value, const Axes& a) {
  return top + panel_height * (1 - std::log(value / a.low) / std::log(a.high / a.low));
}

std::string line(const std::vector<CurvePoint>& curve, const Panel& panel, const Axes& a, const char* colour,
                 const std::function<double(const CurvePoint&)>& value) {
  std::string points;
  for (const auto& p : curve)
    if (value(p) > 0)
      points += fmt::format("{:.1f},{:.1f} ", panel.left + panel_width * static_cast<double>(p.iteration) / a.last,
                            height_of(value(p), a));
  return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", points, colour);
}

std::string drawing_of(const std::vector<CurvePoint>& curve, const Panel& panel) {
  const Axes a = axes_of(curve, panel.term);
  std::string svg = fmt::format(
      "<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" fill=\"none\" stroke=\"#888\"/>\n"
      "<text x=\"{:.0f}\" y=\"20\">{}</text>\n",
      panel.left, top, panel_width, panel_height, panel.left, panel.title);
  for (double v = a.low; v < a.high * 1.01; v *= 10)
    svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", panel.left - 4,
                       height_of(v, a) + 4, fmt::format("{:g}", v));
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"end\">{:.0f} iterations</text>\n",
                     panel.left + panel_width, top + panel_height + 16, a.last);
  const std::size_t t = panel.term;
  svg += line(curve, panel, a, "#4477aa", [t](const CurvePoint& p) { return p.training[t]; });
  svg += line(curve, panel, a, "#ee6677", [t](const CurvePoint& p) { return p.validation[t]; });
  return svg;
}

}  // namespace

std::string curve_csv(const std::vector<CurvePoint>& curve) {
  std::string csv =
      "iteration,learning_rate,probability,distance_px,background_px,foreground,validation_probability,"
      "validation_distance_px,validation_background_px,validation_foreground\n";
  for (const auto& p : curve) {
    csv += std::to_string(p.iteration) + ',' + text_of(p.learning_rate);
    for (const double v : p.training) csv += ',' + field(v);
    for (const double v : p.validation) csv += ',' + field(v);
    csv += '\n';
  }
  return csv;
}

std::string curve_svg(const std::vector<CurvePoint>& curve) {
  const double width = 3 * (panel_width + gap) + 10, height = top + panel_height + 50;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width, height);
  const Panel panels[] = {{gap, "probability (cross entropy)", 0},
                          {gap + panel_width + gap, "distances (mean error, pixels)", 1},
                          {gap + 2 * (panel_width + gap), "foreground (cross entropy)", 3}};
  for (const auto& panel : panels) svg += drawing_of(curve, panel);
  svg += fmt::format(
      "<text x=\"{0:.0f}\" y=\"{2:.0f}\" fill=\"#4477aa\">training</text>\n"
      "<text x=\"{1:.0f}\" y=\"{2:.0f}\" fill=\"#ee6677\">validation</text>\n</svg>\n",
      gap, gap + 80, height - 12);
  return svg;
}

}  // namespace cathoscope
