#include "chords.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope {

namespace {

constexpr int arc_steps = 12;
constexpr int curve_steps = 32;

/// How far clockwise one node is from another, in nodes.
std::size_t clockwise(std::size_t from, std::size_t to, std::size_t nodes) { return (to + nodes - from) % nodes; }

/// Where a link's end lies on its node: angles clockwise from the top.
struct End {
  double first = 0;
  double last = 0;
};

/// Ends of all links at one node, far partners (clockwise) first, so that neighbouring ribbons do not cross.
void place_ends(const std::vector<ChordLink>& links, std::size_t node, std::size_t nodes, double arc_of_one,
                std::vector<std::array<End, 2>>& ends) {
  struct Here {
    std::size_t link, side, partner;
  };
  std::vector<Here> here;
  double sum = 0;
  for (std::size_t l = 0; l < links.size(); ++l)
    for (std::size_t side = 0; side < 2; ++side)
      if ((side == 0 ? links[l].from : links[l].to) == node) {
        here.push_back({l, side, side == 0 ? links[l].to : links[l].from});
        sum += links[l].width;
      }
  std::stable_sort(here.begin(), here.end(), [&](const Here& a, const Here& b) {
    return clockwise(node, a.partner, nodes) > clockwise(node, b.partner, nodes);
  });
  double angle = node_angle(node, nodes) - sum * arc_of_one / 2;
  for (const Here& h : here) {
    const double width = links[h.link].width * arc_of_one;
    ends[h.link][h.side] = {angle, angle + width};
    angle += width;
  }
}

void add_arc(Polygon& p, double from, double to, double radius) {
  for (int k = 0; k <= arc_steps; ++k) p.push_back(on_circle(from + (to - from) * k / arc_steps, radius));
}

/// A parabola from the last point of the polygon to another, drawn towards the centre of the circle.
void add_curve(Polygon& p, const std::array<double, 2>& to) {
  const auto from = p.back();
  const std::array<double, 2> pull{0.25 * (from[0] + to[0]), 0.25 * (from[1] + to[1])};
  for (int k = 1; k <= curve_steps; ++k) {
    const double t = static_cast<double>(k) / curve_steps, s = 1 - t;
    p.push_back(
        {s * s * from[0] + 2 * s * t * pull[0] + t * t * to[0], s * s * from[1] + 2 * s * t * pull[1] + t * t * to[1]});
  }
}

}  // namespace

double node_angle(std::size_t node, std::size_t nodes) {
  return 2 * std::numbers::pi * static_cast<double>(node) / static_cast<double>(nodes);
}

std::array<double, 2> on_circle(double angle, double radius) {
  return {radius * std::sin(angle), radius * std::cos(angle)};
}

Polygon node_arc(std::size_t node, std::size_t nodes, double inner, double outer, double share) {
  const double half = std::numbers::pi / static_cast<double>(nodes) * share, middle = node_angle(node, nodes);
  Polygon p;
  add_arc(p, middle - half, middle + half, outer);
  add_arc(p, middle + half, middle - half, inner);
  return p;
}

std::vector<Ribbon> chord_ribbons(const std::vector<ChordLink>& links, std::size_t nodes, double radius,
                                  double arc_of_one) {
  std::vector<std::array<End, 2>> ends(links.size());
  for (std::size_t node = 0; node < nodes; ++node) place_ends(links, node, nodes, arc_of_one, ends);
  std::vector<Ribbon> ribbons;
  for (const auto& [from, to] : ends) {
    Ribbon r;
    add_arc(r.outline, from.first, from.last, radius);
    add_curve(r.outline, on_circle(to.first, radius));
    add_arc(r.outline, to.first, to.last, radius);
    add_curve(r.outline, on_circle(from.first, radius));
    const auto a = on_circle((from.first + from.last) / 2, radius), b = on_circle((to.first + to.last) / 2, radius);
    r.middle = {0.375 * (a[0] + b[0]), 0.375 * (a[1] + b[1])};  // of the same parabola, at its middle
    ribbons.push_back(std::move(r));
  }
  return ribbons;
}

double fullest_node(const std::vector<ChordLink>& links, std::size_t nodes) {
  std::vector<double> sums(nodes, 0);
  for (const auto& l : links) {
    sums[l.from] += l.width;
    sums[l.to] += l.width;
  }
  return sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
}

}  // namespace cathoscope
