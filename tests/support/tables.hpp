#pragma once
/// Tables compared.

#include <cathoscope/core/table.hpp>

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace test {

/// Bit for bit, NaN equal to NaN; says where they differ.
inline bool same(const cathoscope::Table& a, const cathoscope::Table& b) {
  if (a.columns.size() != b.columns.size()) return false;
  for (std::size_t c = 0; c < a.columns.size(); ++c) {
    const auto &p = a.columns[c], &q = b.columns[c];
    if (p.name != q.name || p.size() != q.size() || p.ids != q.ids || p.texts != q.texts) {
      UNSCOPED_INFO("column " << p.name << " and " << q.name);
      return false;
    }
    for (std::size_t i = 0; i < p.numbers.size(); ++i) {
      const double x = p.numbers[i], y = q.numbers[i];
      if (std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y) || (std::isnan(x) && std::isnan(y)))
        continue;
      UNSCOPED_INFO(p.name << " row " << i << ": " << x << " and " << y);
      return false;
    }
  }
  return true;
}

}  // namespace test
