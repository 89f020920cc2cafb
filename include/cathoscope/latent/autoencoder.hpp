#pragma once
/// A residual autoencoder as plain arrays: z = x A + tanh(x W1 + b1) W2, x' = z C + tanh(z W3 + b3) W4 + b4.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cathoscope {

/// A dense matrix, row by row.
struct DataMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> values;

  DataMatrix() = default;
  DataMatrix(std::int64_t r, std::int64_t c) : rows(r), columns(c), values(static_cast<std::size_t>(r * c)) {}
  [[nodiscard]] const double* row(std::int64_t i) const { return values.data() + i * columns; }
  [[nodiscard]] double* row(std::int64_t i) { return values.data() + i * columns; }
};

/// Sizes and weights; every array is row-major.
struct Autoencoder {
  std::int64_t inputs = 0;
  std::int64_t latents = 0;
  std::int64_t hidden = 0;
  std::vector<double> a, w1, b1, w2;  ///< inputs x latents, inputs x hidden, hidden, hidden x latents
  std::vector<double> c, w3, b3;      ///< latents x inputs, latents x hidden, hidden
  std::vector<double> w4, b4;         ///< hidden x inputs, inputs
};

/// Codes of rows, rows x latents.
DataMatrix encode(const Autoencoder& network, const DataMatrix& x, int threads);
/// Rows from codes, of which only the first `used` count and the others are taken as 0.
DataMatrix decode(const Autoencoder& network, const DataMatrix& z, std::int64_t used, int threads);

}  // namespace cathoscope
