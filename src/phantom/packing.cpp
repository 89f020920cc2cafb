#include "packing.hpp"

#include "noise.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cathoscope::phantom_detail {

namespace {

/// The slab that holds the balls: hard walls in depth, periodic on the sides (walls there would thin the packing out).
struct Domain {
  Vec3 low, high;

  [[nodiscard]] double length(std::size_t axis) const { return high[axis] - low[axis]; }
  /// The shortest way from b to a.
  [[nodiscard]] Vec3 between(const Vec3& a, const Vec3& b) const {
    Vec3 d{a[0] - b[0], a[1] - b[1], a[2] - b[2]};
    for (std::size_t k = 1; k < 3; ++k) {
      if (d[k] > length(k) / 2) d[k] -= length(k);
      if (d[k] < -length(k) / 2) d[k] += length(k);
    }
    return d;
  }
};

double draw_diameter(const SizeConfig& sizes, bool fragment, Stream& draw) {
  const double median = sizes.median_um[0];
  const double d =
      fragment ? draw.uniform(sizes.fragment_um[0], sizes.fragment_um[1]) : median * (1 + sizes.spread * draw.normal());
  return std::clamp(d, sizes.smallest_um, sizes.largest_factor * median);
}

std::vector<Ball> draw_balls(const PhantomConfig& config, std::uint64_t seed, const Domain& domain,
                             std::uint64_t memory_bytes) {
  const double room =
      (domain.high[0] - domain.low[0]) * (domain.high[1] - domain.low[1]) * (domain.high[2] - domain.low[2]);
  double missing = config.packing.fraction[0] * room;
  const double expected = missing / (std::numbers::pi / 6 * std::pow(config.sizes.median_um[0], 3));
  constexpr double bytes_a_particle = 12e3;  // most of it the map of its waves
  if (expected * bytes_a_particle > static_cast<double>(memory_bytes))
    fail(Exit::no_memory,
         "phantom: some {:.3g} particles need {}, more than the {} that may be used; choose a smaller shape or "
         "more memory",
         expected, bytes_text(expected * bytes_a_particle), bytes_text(static_cast<double>(memory_bytes)));
  std::vector<Ball> balls;
  Stream draw(seed, {"phantom", "sizes"});
  while (missing > 0) {
    Ball ball;
    ball.fragment = draw.uniform() < config.sizes.fragment_share;
    ball.radius_um =
        std::min(draw_diameter(config.sizes, ball.fragment, draw), 0.98 * (domain.high[0] - domain.low[0])) / 2;
    missing -= 4.0 / 3.0 * std::numbers::pi * std::pow(ball.radius_um, 3);
    balls.push_back(ball);
  }
  std::stable_sort(balls.begin(), balls.end(), [](const Ball& a, const Ball& b) { return a.radius_um > b.radius_um; });
  return balls;
}

void keep_in(const Domain& domain, Ball& ball) {
  ball.centre_um[0] = std::clamp(ball.centre_um[0], domain.low[0] + ball.radius_um, domain.high[0] - ball.radius_um);
  for (std::size_t a = 1; a < 3; ++a) {
    while (ball.centre_um[a] < domain.low[a]) ball.centre_um[a] += domain.length(a);
    while (ball.centre_um[a] >= domain.high[a]) ball.centre_um[a] -= domain.length(a);
  }
}

/// Number of particles wanted here, relative to elsewhere: 0 .. 1.
double wanted_here(const PackingConfig& packing, const LatticeField& patches, const Domain& domain, const Vec3& p) {
  const double depth = (p[0] - domain.low[0]) / (domain.high[0] - domain.low[0]) - 0.5;
  const double patch = std::clamp(patches.at(p) / 2, -1.0, 1.0);
  const double most = (1 + std::abs(packing.depth_gradient)) * (1 + packing.patchiness);
  return (1 + 2 * packing.depth_gradient * depth) * (1 + packing.patchiness * patch) / most;
}

void scatter(const PackingConfig& packing, std::uint64_t seed, const Domain& domain, std::vector<Ball>& balls) {
  const double sigma = packing.patch_range_um / 2;
  const LatticeField patches(stream_key(seed, {"phantom", "patches"}), {sigma, sigma, sigma});
  for (std::size_t i = 0; i < balls.size(); ++i) {
    Stream draw(seed, {"phantom", "scatter"}, i);
    for (int attempt = 0; attempt < 1000; ++attempt) {
      for (std::size_t a = 0; a < 3; ++a) balls[i].centre_um[a] = draw.uniform(domain.low[a], domain.high[a]);
      keep_in(domain, balls[i]);
      if (draw.uniform() < wanted_here(packing, patches, domain, balls[i].centre_um)) break;
    }
  }
}

/// Balls by cells no smaller than the largest diameter.
struct Cells {
  Domain domain;
  Vec3 edge{};
  Index3 shape{1, 1, 1};
  std::vector<std::int32_t> first, next;

  Cells(const Domain& of, double least_edge) : domain(of) {
    for (std::size_t a = 0; a < 3; ++a) {
      shape[a] = std::max<std::int64_t>(1, static_cast<std::int64_t>(domain.length(a) / least_edge));
      edge[a] = domain.length(a) / static_cast<double>(shape[a]);
    }
  }

  [[nodiscard]] std::int64_t cell_along(std::size_t a, double p) const {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>((p - domain.low[a]) / edge[a]), 0, shape[a] - 1);
  }

  void fill(const std::vector<Ball>& balls) {
    first.assign(static_cast<std::size_t>(volume_of(shape)), -1);
    next.assign(balls.size(), -1);
    for (std::size_t i = balls.size(); i-- > 0;) {
      const Vec3& p = balls[i].centre_um;
      auto& head = first[static_cast<std::size_t>((cell_along(0, p[0]) * shape[1] + cell_along(1, p[1])) * shape[2] +
                                                  cell_along(2, p[2]))];
      next[i] = head;
      head = static_cast<std::int32_t>(i);
    }
  }

  /// The cells next to p's along an axis, each once, in order; around the corner where the axis is periodic.
  [[nodiscard]] std::array<std::int64_t, 3> near(std::size_t a, double p, int& count) const {
    std::array<std::int64_t, 3> cells{};
    count = 0;
    const std::int64_t middle = cell_along(a, p), n = shape[a];
    for (std::int64_t i = middle - 1; i <= middle + 1; ++i) {
      if (a == 0 && (i < 0 || i >= n)) continue;
      const std::int64_t wrapped = (i + n) % n;
      if (std::find(cells.begin(), cells.begin() + count, wrapped) == cells.begin() + count)
        cells[static_cast<std::size_t>(count++)] = wrapped;
    }
    return cells;
  }

  template <class F>
  void each_near(const Vec3& p, F&& f) const {
    std::array<int, 3> count{};
    const auto zs = near(0, p[0], count[0]), ys = near(1, p[1], count[1]), xs = near(2, p[2], count[2]);
    for (int z = 0; z < count[0]; ++z)
      for (int y = 0; y < count[1]; ++y)
        for (int x = 0; x < count[2]; ++x) {
          const std::int64_t cell =
              (zs[static_cast<std::size_t>(z)] * shape[1] + ys[static_cast<std::size_t>(y)]) * shape[2] +
              xs[static_cast<std::size_t>(x)];
          for (std::int32_t i = first[static_cast<std::size_t>(cell)]; i >= 0; i = next[static_cast<std::size_t>(i)])
            f(static_cast<std::size_t>(i));
        }
  }
};

/// Where ball i wants to go: away from every overlapping ball, the more the larger the other is.
Vec3 push_on(const std::vector<Ball>& balls, std::size_t i, double shrink, const Cells& cells) {
  Vec3 push{};
  const Ball& a = balls[i];
  cells.each_near(a.centre_um, [&](std::size_t j) {
    if (j == i) return;
    const Ball& b = balls[j];
    const Vec3 d = cells.domain.between(a.centre_um, b.centre_um);
    const double reach = shrink * (a.radius_um + b.radius_um), square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    if (square >= reach * reach) return;
    const double distance = std::max(std::sqrt(square), 1e-6);
    const double wa = a.radius_um * a.radius_um * a.radius_um, wb = b.radius_um * b.radius_um * b.radius_um;
    const double step = (reach - distance) * wb / (wa + wb) / distance;
    for (std::size_t k = 0; k < 3; ++k) push[k] += step * d[k];
  });
  return push;
}

/// One sweep of simultaneous moves (so that the result does not depend on threads); the largest push in um.
double sweep(std::vector<Ball>& balls, const Domain& domain, double shrink, Cells& cells, std::vector<Vec3>& pushes,
             int threads) {
  cells.fill(balls);
  constexpr std::int64_t chunk = 256;
  const auto n = static_cast<std::int64_t>(balls.size());
  // Threads start anew each sweep: worth it for thousands of balls only.
  parallel_for((n + chunk - 1) / chunk, n > 4000 ? threads : 1, [&](std::int64_t c) {
    for (std::int64_t i = c * chunk; i < std::min(n, (c + 1) * chunk); ++i)
      pushes[static_cast<std::size_t>(i)] = push_on(balls, static_cast<std::size_t>(i), shrink, cells);
  });
  double largest = 0;
  for (std::size_t i = 0; i < balls.size(); ++i) {
    for (std::size_t a = 0; a < 3; ++a) {
      balls[i].centre_um[a] += pushes[i][a];
      largest = std::max(largest, std::abs(pushes[i][a]));
    }
    keep_in(domain, balls[i]);
  }
  return largest;
}

}  // namespace

std::vector<Ball> pack(const PhantomConfig& config, std::uint64_t seed, const Vec3& extent_um, double low_um,
                       double high_um, const Context& context) {
  const double margin = config.packing.margin_um;
  const Domain domain{{low_um, -margin, -margin}, {high_um, extent_um[1] + margin, extent_um[2] + margin}};
  if (high_um - low_um < config.sizes.smallest_um)
    fail(Exit::config,
         "phantom: the electrode is {:.3g} um thick, less than the smallest particle ({:.3g} um); enlarge shape "
         "or voxel_size_um, or lower packing.foil_gap_um",
         high_um - low_um, config.sizes.smallest_um);
  auto balls = draw_balls(config, seed, domain, context.memory_bytes);
  scatter(config.packing, seed, domain, balls);
  Cells cells(domain, 2 * balls.front().radius_um);
  std::vector<Vec3> pushes(balls.size());
  constexpr double still_um = 1e-3;  // far below any voxel
  for (std::int64_t s = 0; s < config.packing.sweeps; ++s) {
    context.progress.check_stop();
    if (sweep(balls, domain, config.packing.shrink, cells, pushes, context.threads) < still_um) break;
  }
  return balls;
}

}  // namespace cathoscope::phantom_detail
