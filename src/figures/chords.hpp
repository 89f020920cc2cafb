#pragma once
/// Chord diagrams: nodes on a circle, ribbons between them. Unit circle, node 1 at the top, clockwise.

#include <array>
#include <cstddef>
#include <vector>

namespace cathoscope {

struct ChordLink {
  std::size_t from = 0;  ///< nodes, from 0
  std::size_t to = 0;
  double width = 0;  ///< |r|
};

using Polygon = std::vector<std::array<double, 2>>;

struct Ribbon {
  Polygon outline;  ///< closed: the first point is not repeated
  std::array<double, 2> middle{};
};

/// Angle of a node's middle, radians clockwise from the top.
double node_angle(std::size_t node, std::size_t nodes);
std::array<double, 2> on_circle(double angle, double radius);
/// A node: the ring segment between two radii, `share` of its sector.
Polygon node_arc(std::size_t node, std::size_t nodes, double inner, double outer, double share);

/// Ribbons inside a circle of `radius`. A link of width 1 takes `arc_of_one` radians of a node's arc at both ends; the ends
/// of a node's links lie side by side in an order in which they do not cross near it.
std::vector<Ribbon> chord_ribbons(const std::vector<ChordLink>& links, std::size_t nodes, double radius,
                                  double arc_of_one);

/// Sum of widths at the fullest node.
double fullest_node(const std::vector<ChordLink>& links, std::size_t nodes);

}  // namespace cathoscope
