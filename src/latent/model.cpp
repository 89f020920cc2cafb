#include "model.hpp"

#include "alignment.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>
#include <cathoscope/latent/training.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope::latent_detail {

namespace {

template <class T, class F>
auto of_each(const std::vector<T>& values, const F& f) {
  std::vector<std::decay_t<decltype(f(values.front()))>> results;
  results.reserve(values.size());
  for (const T& v : values) results.push_back(f(v));
  return results;
}

constexpr double start_spread = 0.05;
constexpr double decorrelation = 0.02;
constexpr double held_out_share = 0.05;
constexpr std::size_t least_rows_for_holdout = 200;
constexpr std::int64_t half_samples = 8;

std::vector<std::int64_t> random_rows(std::int64_t rows, std::int64_t count, Stream stream) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(rows));
  std::iota(index.begin(), index.end(), std::int64_t{0});
  if (count >= rows) return index;
  stream.shuffle(index.begin(), index.end());
  index.resize(static_cast<std::size_t>(count));
  std::sort(index.begin(), index.end());
  return index;
}

TrainingRows training_rows(const LatentConfig& config, const ModelJob& job, std::uint64_t seed) {
  const auto members = static_cast<std::int64_t>(job.members.size());
  const std::int64_t quota = std::max<std::int64_t>(config.training_rows / members, 1);
  TrainingRows rows;
  rows.x.columns = job.members.front()->columns;
  for (std::int64_t m = 0; m < members; ++m) {
    const DataMatrix& x = *job.members[static_cast<std::size_t>(m)];
    const auto index =
        random_rows(x.rows, quota, {seed, {"latent", "training rows", job.name}, static_cast<std::uint64_t>(m)});
    for (const auto i : index) rows.x.values.insert(rows.x.values.end(), x.row(i), x.row(i) + x.columns);
    rows.weight.insert(rows.weight.end(), index.size(), 1.0 / static_cast<double>(index.size()));
  }
  rows.x.rows = static_cast<std::int64_t>(rows.weight.size());
  const double mean = static_cast<double>(members) / static_cast<double>(rows.x.rows);
  for (double& w : rows.weight) w /= mean;
  return rows;
}

std::vector<std::uint8_t> held_out(std::size_t rows, Stream& stream) {
  std::vector<std::uint8_t> result(rows);
  if (rows < least_rows_for_holdout) return result;
  for (auto& r : result) r = stream.uniform() < held_out_share ? 1 : 0;
  return result;
}

/// The linear latents: directions in the space of columns, and groups where there are any.
ColumnGroups linear_latents(const SquareMatrix& moments, const ModelJob& job, std::int64_t count) {
  if (job.grouped) return column_groups(moments, count);
  return {{}, principal_axes(moments, count)};
}

Autoencoder start_network(const LatentConfig& config, const SquareMatrix& moments, const DataMatrix& directions,
                          bool random, Stream& stream) {
  const double d = static_cast<double>(moments.rows);
  Autoencoder n =
      random_network(moments.rows, config.dimensions, config.hidden, random ? 1 / std::sqrt(d) : start_spread, stream);
  if (!random) {
    n.a = directions.values;
    n.c = regression_on_codes(moments, directions).values;
    return n;
  }
  for (double& v : n.a) v = stream.normal() / std::sqrt(d);
  for (double& v : n.c) v = stream.normal() / std::sqrt(static_cast<double>(config.dimensions));
  return n;
}

/// Mean |correlation| of each column of `kept` with the column it is matched with in each of the others.
std::vector<double> agreement(const DataMatrix& kept, const std::vector<DataMatrix>& others) {
  std::vector<double> mean(static_cast<std::size_t>(kept.columns), others.empty() ? std::nan("") : 0.0);
  for (const auto& other : others) {
    const auto matching = matched_columns(kept, other);
    for (std::size_t k = 0; k < mean.size(); ++k)
      mean[k] += std::abs(matching.correlation[k]) / static_cast<double>(others.size());
  }
  return mean;
}

DataMatrix projected(const DataMatrix& x, const DataMatrix& directions) {
  DataMatrix z(x.rows, directions.columns);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t c = 0; c < x.columns; ++c)
      for (std::int64_t k = 0; k < z.columns; ++k) z.row(i)[k] += x.row(i)[c] * directions.row(c)[k];
  return z;
}

/// How well the linear latents of random halves of the rows agree with those of all rows.
std::vector<double> half_agreement(const LatentConfig& config, const ModelJob& job, const DataMatrix& directions,
                                   const DataMatrix& x, std::uint64_t seed, const Context& context) {
  std::vector<DataMatrix> codes(half_samples);
  parallel_for(half_samples, context.threads, [&](std::int64_t h) {
    std::vector<SquareMatrix> moments;
    for (std::size_t m = 0; m < job.members.size(); ++m) {
      const auto item = static_cast<std::uint64_t>(h) * job.members.size() + m;
      const auto rows = job.members[m]->rows;
      const auto index =
          random_rows(rows, std::max<std::int64_t>(rows / 2, 1), {seed, {"latent", "half", job.name}, item});
      moments.push_back(second_moments(*job.members[m], index, 1));
    }
    codes[static_cast<std::size_t>(h)] =
        projected(x, linear_latents(mean_of(moments), job, config.dimensions).direction);
  });
  return agreement(projected(x, directions), codes);
}

std::vector<Trained> trained_restarts(const LatentConfig& config, const ModelJob& job, const SquareMatrix& moments,
                                      const ColumnGroups& linear, const TrainingRows& rows, std::uint64_t seed,
                                      const Context& context) {
  const TrainingPlan plan{job.ordered, job.ordered ? decorrelation : 0, 3e-4, linear.group, config.iterations};
  std::vector<Trained> results(static_cast<std::size_t>(config.restarts));
  context.progress.begin("latent: training" + (job.name.empty() ? "" : " on " + job.name),
                         static_cast<std::uint64_t>(config.restarts));
  parallel_for(config.restarts, context.threads, [&](std::int64_t r) {
    Stream stream(seed, {"latent", "restart", job.name}, static_cast<std::uint64_t>(r));
    const auto start = start_network(config, moments, linear.direction, job.random_start, stream);
    const auto hold = held_out(rows.weight.size(), stream);
    results[static_cast<std::size_t>(r)] = train(start, rows, hold, plan, context.progress);
    context.progress.advance();
  });
  return results;
}

double explained_by_decoder(const Autoencoder& network, const DataMatrix& z, const TrainingRows& rows,
                            std::int64_t used, int threads) {
  const DataMatrix x = decode(network, z, used, threads);
  double sum = 0, total = 0;
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t c = 0; c < x.columns; ++c) {
      const double w = rows.weight[static_cast<std::size_t>(i)], v = rows.x.row(i)[c];
      sum += w * (x.row(i)[c] - v) * (x.row(i)[c] - v);
      total += w * v * v;
    }
  return 1 - sum / total;
}

/// Mean and standard deviation of the code over the members, each counting alike.
ColumnScale code_moments(const std::vector<DataMatrix>& codes, int threads) {
  const auto k = static_cast<std::size_t>(codes.front().columns);
  ColumnScale all{std::vector<double>(k), std::vector<double>(k)};
  const auto n = static_cast<double>(codes.size());
  const auto parts = of_each(codes, [&](const DataMatrix& c) { return column_scale(c, threads); });
  for (const auto& p : parts)
    for (std::size_t i = 0; i < k; ++i) all.mean[i] += p.mean[i] / n;
  for (const auto& p : parts)
    for (std::size_t i = 0; i < k; ++i)
      all.sd[i] += (p.sd[i] * p.sd[i] + (p.mean[i] - all.mean[i]) * (p.mean[i] - all.mean[i])) / n;
  for (double& s : all.sd) s = std::sqrt(s);
  return all;
}

std::vector<double> picked(const std::vector<double>& values, const std::vector<std::int64_t>& order) {
  return of_each(order, [&](std::int64_t i) { return values[static_cast<std::size_t>(i)]; });
}

std::vector<const DataMatrix*> pointers(const std::vector<DataMatrix>& matrices) {
  return of_each(matrices, [](const DataMatrix& m) { return &m; });
}

/// Order, zero, scale and sign of the latents.
void scale_code(LatentModel& model, const ModelJob& job, int threads) {
  const auto z = of_each(job.members, [&](const DataMatrix* x) { return encode(model.network, *x, threads); });
  const ColumnScale scale = code_moments(z, threads);
  const auto k = static_cast<std::size_t>(model.network.latents);
  for (std::size_t i = 0; i < k; ++i)
    if (!(scale.sd[i] > 1e-9))
      fail(Exit::not_converged,
           "latent: dimension {} of the code is constant: the columns hold fewer directions than latent.dimensions {}; "
           "choose fewer",
           i + 1, k);
  model.code = {{}, scale.mean, {}};
  model.code.order.resize(k);
  std::iota(model.code.order.begin(), model.code.order.end(), std::int64_t{0});
  for (const double s : scale.sd) model.code.factor.push_back(1 / s);
  const auto y = of_each(job.members, [&](const DataMatrix* x) { return latents_of(model, *x, threads); });
  const CodeProducts products = code_products(pointers(y), job.members, threads);
  const auto explained = explained_order(products.codes, products.columns, job.ordered);
  for (const double e : explained.explained)
    model.explained.push_back(e / static_cast<double>(products.columns.columns));
  for (std::size_t i = 0; i < k; ++i) {
    const double* row = products.columns.row(static_cast<std::int64_t>(i));
    const double* leading = std::max_element(row, row + products.columns.columns,
                                             [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (*leading < 0) model.code.factor[i] = -model.code.factor[i];
  }
  model.code = {explained.order, picked(model.code.offset, explained.order),
                picked(model.code.factor, explained.order)};
}

}  // namespace

CodeProducts code_products(const std::vector<const DataMatrix*>& codes, const std::vector<const DataMatrix*>& rows,
                           int threads) {
  const std::int64_t k = codes.front()->columns, d = rows.front()->columns;
  CodeProducts result{SquareMatrix(k, k), DataMatrix(k, d)};
  constexpr std::int64_t block = 8192;
  const auto share = static_cast<double>(codes.size());
  for (std::size_t m = 0; m < codes.size(); ++m) {
    const DataMatrix &y = *codes[m], &x = *rows[m];
    const std::int64_t blocks = (y.rows + block - 1) / block;
    std::vector<CodeProducts> parts(static_cast<std::size_t>(blocks), {SquareMatrix(k, k), DataMatrix(k, d)});
    parallel_for(blocks, threads, [&](std::int64_t b) {
      auto& part = parts[static_cast<std::size_t>(b)];
      for (std::int64_t i = b * block; i < std::min(y.rows, (b + 1) * block); ++i)
        for (std::int64_t p = 0; p < k; ++p) {
          for (std::int64_t q = 0; q < k; ++q) part.codes.row(p)[q] += y.row(i)[p] * y.row(i)[q];
          for (std::int64_t c = 0; c < d; ++c) part.columns.row(p)[c] += y.row(i)[p] * x.row(i)[c];
        }
    });
    const double factor = 1 / (share * static_cast<double>(y.rows));
    for (const auto& part : parts) {
      for (std::size_t i = 0; i < part.codes.values.size(); ++i)
        result.codes.values[i] += factor * part.codes.values[i];
      for (std::size_t i = 0; i < part.columns.values.size(); ++i)
        result.columns.values[i] += factor * part.columns.values[i];
    }
  }
  return result;
}

DataMatrix latents_of(const LatentModel& model, const DataMatrix& x, int threads) {
  const DataMatrix z = encode(model.network, x, threads);
  DataMatrix y(z.rows, z.columns);
  for (std::int64_t i = 0; i < z.rows; ++i)
    for (std::size_t k = 0; k < model.code.order.size(); ++k)
      y.row(i)[k] = (z.row(i)[model.code.order[k]] - model.code.offset[k]) * model.code.factor[k];
  return y;
}

LatentModel fit_model(const LatentConfig& config, const ModelJob& job, std::uint64_t seed, const Context& context) {
  const auto moments =
      of_each(job.members, [&](const DataMatrix* x) { return second_moments(*x, {}, context.threads); });
  const SquareMatrix mean = mean_of(moments);
  const ColumnGroups linear = linear_latents(mean, job, config.dimensions);
  const TrainingRows rows = training_rows(config, job, seed);
  auto restarts = trained_restarts(config, job, mean, linear, rows, seed, context);
  LatentModel model;
  model.trained_on = job.name;
  for (const auto& r : restarts) model.loss.push_back(r.loss);
  const auto best = std::min_element(model.loss.begin(), model.loss.end()) - model.loss.begin();
  model.best = best;
  Trained& kept = restarts[static_cast<std::size_t>(best)];
  model.network = std::move(kept.network);
  model.curve = std::move(kept.curve);
  model.holdout_curve = std::move(kept.holdout_curve);
  scale_code(model, job, context.threads);
  const DataMatrix z = encode(model.network, rows.x, context.threads);
  std::vector<DataMatrix> others;
  for (std::size_t r = 0; r < restarts.size(); ++r)
    if (static_cast<std::ptrdiff_t>(r) != best) others.push_back(encode(restarts[r].network, rows.x, context.threads));
  model.stability = picked(agreement(z, others), model.code.order);
  if (!job.random_start)
    model.half_stability =
        picked(half_agreement(config, job, linear.direction, rows.x, seed, context), model.code.order);
  for (std::int64_t used = job.ordered ? 1 : config.dimensions; used <= config.dimensions; ++used)
    model.decoder_explained.push_back(explained_by_decoder(model.network, z, rows, used, context.threads));
  for (const auto g : linear.group)
    if (job.grouped)
      model.group.push_back(std::find(model.code.order.begin(), model.code.order.end(), g) - model.code.order.begin());
  return model;
}

void align_model(LatentModel& model, const LatentModel& reference, const DataMatrix& x, int threads) {
  const auto matching = matched_columns(latents_of(reference, x, threads), latents_of(model, x, threads));
  CodeScale code;
  for (std::size_t k = 0; k < matching.column.size(); ++k) {
    const auto from = static_cast<std::size_t>(matching.column[k]);
    code.order.push_back(model.code.order[from]);
    code.offset.push_back(model.code.offset[from]);
    code.factor.push_back(matching.correlation[k] < 0 ? -model.code.factor[from] : model.code.factor[from]);
  }
  model.code = std::move(code);
  model.stability = picked(model.stability, matching.column);
}

}  // namespace cathoscope::latent_detail
