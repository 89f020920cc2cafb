#include <cathoscope/core/parallel.hpp>
#include <cathoscope/latent/autoencoder.hpp>

#include <algorithm>
#include <cmath>

namespace cathoscope {

namespace {

constexpr std::int64_t block_rows = 1024;

/// out += x M, with x of n and M of n x m.
void add_product(const double* x, std::int64_t n, const std::vector<double>& m, std::int64_t columns, double* out) {
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < columns; ++k) out[k] += x[i] * m[static_cast<std::size_t>(i * columns + k)];
}

/// One half of the network: out = x linear + tanh(x in + bias) back (+ out as it is).
struct Half {
  const std::vector<double>&linear, &in, &bias, &back;
};

void apply(const Half& half, const double* x, std::int64_t used, std::vector<double>& hidden, double* out,
           std::int64_t columns) {
  std::copy(half.bias.begin(), half.bias.end(), hidden.begin());
  const auto units = static_cast<std::int64_t>(hidden.size());
  add_product(x, used, half.in, units, hidden.data());
  for (double& h : hidden) h = std::tanh(h);
  add_product(x, used, half.linear, columns, out);
  add_product(hidden.data(), units, half.back, columns, out);
}

void in_blocks(std::int64_t rows, int threads, const std::function<void(std::int64_t, std::int64_t)>& f) {
  parallel_for((rows + block_rows - 1) / block_rows, threads,
               [&](std::int64_t b) { f(b * block_rows, std::min(rows, (b + 1) * block_rows)); });
}

}  // namespace

DataMatrix encode(const Autoencoder& n, const DataMatrix& x, int threads) {
  DataMatrix z(x.rows, n.latents);
  in_blocks(x.rows, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> hidden(static_cast<std::size_t>(n.hidden));
    for (std::int64_t i = begin; i < end; ++i)
      apply({n.a, n.w1, n.b1, n.w2}, x.row(i), n.inputs, hidden, z.row(i), n.latents);
  });
  return z;
}

DataMatrix decode(const Autoencoder& n, const DataMatrix& z, std::int64_t used, int threads) {
  DataMatrix x(z.rows, n.inputs);
  in_blocks(z.rows, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> hidden(static_cast<std::size_t>(n.hidden));
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy(n.b4.begin(), n.b4.end(), x.row(i));
      apply({n.c, n.w3, n.b3, n.w4}, z.row(i), used, hidden, x.row(i), n.inputs);
    }
  });
  return x;
}

}  // namespace cathoscope
