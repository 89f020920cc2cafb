#include "value_axis.hpp"

#include "plotting.hpp"

#include <cathoscope/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope {

namespace {

/// Between them a label has at most five signs, which is what left margins are made for.
constexpr double short_from = 0.01, short_below = 1e5;

double size_of(const Extent& extent) { return std::fmax(std::abs(extent.low), std::abs(extent.high)); }

/// 1, 2 or 5 times a power of ten, so that there are about six.
double round_step(double span) {
  const double rough = span / 6, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double nice : {1.0, 2.0, 5.0})
    if (nice * power >= rough * (1 - 1e-9)) return nice * power;
  return 10 * power;
}

}  // namespace

void Extent::add(double value) {
  low = std::fmin(low, value);
  high = std::fmax(high, value);
}

void Extent::add(const Extent& other) {
  add(other.low);
  add(other.high);
}

Extent Extent::with_zero() const {
  Extent extent = *this;
  extent.add(0);
  return extent;
}

Extent Extent::mirrored() const {
  const double size = size_of(*this);
  return {-size, size};
}

Extent extent_of(const Table& table, const std::vector<std::size_t>& rows,
                 std::initializer_list<std::string_view> columns) {
  Extent extent;
  for (const auto column : columns)
    for (const double value : numbers_at(table, column, rows))
      if (std::isfinite(value)) extent.add(value);
  return extent;
}

Extent extent_of(const Table& table, std::initializer_list<std::string_view> columns) {
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return extent_of(table, rows, columns);
}

int label_power(const Extent& extent) {
  const double size = size_of(extent);
  if (!(size > 0) || (size >= short_from && size < short_below)) return 0;
  return static_cast<int>(std::floor(std::log10(size)));
}

std::string with_power(const std::string& title, int power) {
  if (power == 0) return title;
  return fmt::format("{}.', × 10^{{{}{}}}'", title, power < 0 ? "−" : "", std::abs(power));
}

std::string power_tics(const std::string& axis, const Extent& extent, int power, bool labels) {
  const double span = extent.high - extent.low;
  if (power == 0 || !(span > 0)) return "";
  const double step = round_step(span), unit = std::pow(10, power);
  const int decimals = std::max(0, power - static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  // Panels leave room around what they show; gnuplot leaves out the tics beyond.
  const auto first = static_cast<int>(std::floor((extent.low - span) / step));
  const auto last = static_cast<int>(std::ceil((extent.high + span) / step));
  std::vector<std::string> tics;
  for (int k = first; k <= last; ++k)
    tics.push_back((labels ? fmt::format("'{:.{}f}' ", k * step / unit, k == 0 ? 0 : decimals) : std::string()) +
                   fmt::format("{:.12g}", k * step));
  return fmt::format("set {}tics ({})\n", axis, fmt::join(tics, ", "));
}

std::string value_axis(const std::string& axis, const std::string& title, const Extent& extent) {
  const int power = label_power(extent);
  return (title.empty() ? std::string() : fmt::format("set {}label {}\n", axis, with_power(title, power))) +
         power_tics(axis, extent, power);
}

}  // namespace cathoscope
