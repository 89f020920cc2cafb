#include <cathoscope/latent/training.hpp>

namespace cathoscope::latent_detail {

Autoencoder random_network(std::int64_t inputs, std::int64_t latents, std::int64_t hidden, double spread,
                           Stream& stream) {
  Autoencoder n;
  n.inputs = inputs;
  n.latents = latents;
  n.hidden = hidden;
  const auto fill = [&](std::vector<double>& v, std::int64_t size, bool random) {
    v.assign(static_cast<std::size_t>(size), 0.0);
    if (random)
      for (double& x : v) x = spread * stream.normal();
  };
  fill(n.a, inputs * latents, false);
  fill(n.w1, inputs * hidden, true);
  fill(n.b1, hidden, false);
  fill(n.w2, hidden * latents, true);
  fill(n.c, latents * inputs, false);
  fill(n.w3, latents * hidden, true);
  fill(n.b3, hidden, false);
  fill(n.w4, hidden * inputs, true);
  fill(n.b4, inputs, false);
  return n;
}

std::vector<double> flat(const Autoencoder& n) {
  std::vector<double> all;
  for (const auto* v : {&n.a, &n.w1, &n.b1, &n.w2, &n.c, &n.w3, &n.b3, &n.w4, &n.b4})
    all.insert(all.end(), v->begin(), v->end());
  return all;
}

Autoencoder unflattened(const Autoencoder& shape, const std::vector<double>& values) {
  Autoencoder n = shape;
  auto from = values.begin();
  for (auto* v : {&n.a, &n.w1, &n.b1, &n.w2, &n.c, &n.w3, &n.b3, &n.w4, &n.b4}) {
    const auto end = from + static_cast<std::ptrdiff_t>(v->size());
    v->assign(from, end);
    from = end;
  }
  return n;
}

}  // namespace cathoscope::latent_detail
