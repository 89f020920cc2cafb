#include "links.hpp"

#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cathoscope::latent_detail {

namespace {

constexpr double level = 0.05;
constexpr double weakest_link = 0.1;  // a weaker one is no relation worth drawing, however sure it is
constexpr double least_pivot = 1e-12;
constexpr double tie = 1e-12;  // rounding must not decide whether a permutation counts

/// (1 + exceeding) / (1 + permutations)
double permutation_p(std::int64_t exceeding, std::int64_t permutations) {
  return static_cast<double>(1 + exceeding) / static_cast<double>(1 + permutations);
}

double fisher_z(double r) { return std::atanh(std::clamp(r, -1 + 1e-12, 1 - 1e-12)); }

/// Linear between order statistics, as numpy.percentile.
double quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

CodeMoments moments_of(const DataMatrix& codes) {
  CodeMoments m(codes.columns);
  for (std::int64_t i = 0; i < codes.rows; ++i) m.add(codes.row(i));
  return m;
}

std::vector<double> resampled(const DataMatrix& codes, Stream stream) {
  CodeMoments m(codes.columns);
  for (std::int64_t i = 0; i < codes.rows; ++i)
    m.add(codes.row(static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(codes.rows)))));
  return m.correlations();
}

/// Every column in an order of its own.
std::vector<double> shuffled(const DataMatrix& codes, Stream stream) {
  std::vector<std::vector<std::int32_t>> order(static_cast<std::size_t>(codes.columns));
  for (auto& o : order) {
    o.resize(static_cast<std::size_t>(codes.rows));
    std::iota(o.begin(), o.end(), 0);
    if (&o != &order.front()) stream.shuffle(o.begin(), o.end());
  }
  CodeMoments m(codes.columns);
  std::vector<double> row(order.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(codes.rows); ++i) {
    for (std::size_t c = 0; c < row.size(); ++c) row[c] = codes.row(order[c][i])[c];
    m.add(row.data());
  }
  return m.correlations();
}

/// Item b of `count` from its own stream, side by side.
std::vector<std::vector<double>> repeated(std::int64_t count, const std::string& task, const Context& context,
                                          const std::function<std::vector<double>(std::uint64_t)>& f) {
  std::vector<std::vector<double>> all(static_cast<std::size_t>(count));
  context.progress.begin(task, static_cast<std::uint64_t>(count));
  parallel_for(count, context.threads, [&](std::int64_t b) {
    all[static_cast<std::size_t>(b)] = f(static_cast<std::uint64_t>(b));
    context.progress.advance();
  });
  return all;
}

double largest_of_first(const std::vector<std::pair<std::int64_t, std::int64_t>>& pairs, const std::vector<double>& r,
                        std::int64_t count) {
  double largest = 0;
  for (std::size_t p = 0; p < pairs.size(); ++p)
    if (pairs[p].second < count) largest = std::max(largest, std::abs(r[p]));
  return largest;
}

std::vector<Independence> independence_of(std::int64_t k, const std::vector<double>& r,
                                          const std::vector<std::vector<double>>& null) {
  const auto pairs = latent_pairs(k);
  const auto observed = total_correlations(k, r);
  std::vector<std::int64_t> exceeding(static_cast<std::size_t>(k));
  for (const auto& n : null) {
    const auto t = total_correlations(k, n);
    for (std::size_t c = 0; c < t.size(); ++c) exceeding[c] += t[c] >= observed[c] - tie ? 1 : 0;
  }
  std::vector<Independence> result;
  for (std::int64_t count = 2; count <= k; ++count) {
    const auto c = static_cast<std::size_t>(count - 1);
    result.push_back({count, largest_of_first(pairs, r, count), observed[c],
                      permutation_p(exceeding[c], static_cast<std::int64_t>(null.size()))});
  }
  return result;
}

const char* state_of(const LatentLink& a, const LatentLink& b) {
  if (a.significant && b.significant) return a.r * b.r > 0 ? "common" : "sign_flip";
  if (a.significant) return "only_first";
  return b.significant ? "only_second" : "none";
}

/// Rows of the first sample among all, drawn without replacement; the second is the rest.
std::pair<CodeMoments, CodeMoments> relabelled(const DataMatrix& first, const DataMatrix& second,
                                               const CodeMoments& all, Stream stream) {
  const std::int64_t total = first.rows + second.rows;
  std::vector<std::int32_t> order(static_cast<std::size_t>(total));
  std::iota(order.begin(), order.end(), 0);
  CodeMoments a(first.columns);
  for (std::int64_t i = 0; i < first.rows; ++i) {
    const auto j = i + static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(total - i)));
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
    const std::int32_t row = order[static_cast<std::size_t>(i)];
    a.add(row < first.rows ? first.row(row) : second.row(row - first.rows));
  }
  CodeMoments b = all;
  b.subtract(a);
  return {a, b};
}

/// Everything that is compared, in one list: delta z of the pairs, then total correlation, log volume, participation
/// ratio, largest |delta z|.
std::vector<double> differences(const CodeMoments& a, const CodeMoments& b, const Metric& metric) {
  const auto ra = a.correlations(), rb = b.correlations();
  std::vector<double> result;
  double largest = 0;
  for (std::size_t p = 0; p < ra.size(); ++p) {
    result.push_back(fisher_z(rb[p]) - fisher_z(ra[p]));
    largest = std::max(largest, std::abs(result.back()));
  }
  result.push_back(total_correlations(a.k, rb).back() - total_correlations(a.k, ra).back());
  result.push_back(log_volume(b, metric) - log_volume(a, metric));
  result.push_back(participation_ratio(b, metric) - participation_ratio(a, metric));
  result.push_back(largest);
  return result;
}

double element(const CodeMoments& m, std::int64_t i, std::int64_t j) {
  return m.covariance(std::min(i, j), std::max(i, j));
}

}  // namespace

std::vector<std::pair<std::int64_t, std::int64_t>> latent_pairs(std::int64_t k) {
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::int64_t i = 0; i < k; ++i)
    for (std::int64_t j = i + 1; j < k; ++j) pairs.emplace_back(i, j);
  return pairs;
}

void CodeMoments::add(const double* row) {
  std::size_t at = 0;
  for (std::int64_t i = 0; i < k; ++i) {
    sum[static_cast<std::size_t>(i)] += row[i];
    for (std::int64_t j = i; j < k; ++j) product[at++] += row[i] * row[j];
  }
  n += 1;
}

void CodeMoments::subtract(const CodeMoments& other) {
  n -= other.n;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] -= other.sum[i];
  for (std::size_t i = 0; i < product.size(); ++i) product[i] -= other.product[i];
}

double CodeMoments::covariance(std::int64_t i, std::int64_t j) const {
  const auto at = static_cast<std::size_t>(i * k - i * (i - 1) / 2 + (j - i));
  return product[at] / n - sum[static_cast<std::size_t>(i)] / n * (sum[static_cast<std::size_t>(j)] / n);
}

std::vector<double> CodeMoments::correlations() const {
  std::vector<double> sd, r;
  for (std::int64_t i = 0; i < k; ++i) sd.push_back(std::sqrt(std::max(0.0, covariance(i, i))));
  for (const auto& [i, j] : latent_pairs(k)) {
    const double scale = sd[static_cast<std::size_t>(i)] * sd[static_cast<std::size_t>(j)];
    r.push_back(scale > 0 ? std::clamp(covariance(i, j) / scale, -1.0, 1.0) : 0.0);
  }
  return r;
}

namespace {

/// log det of the leading c x c parts of a symmetric matrix, c = 1, 2, ...
std::vector<double> leading_log_dets(std::vector<std::vector<double>> s) {
  std::vector<double> result;
  double sum = 0;
  for (std::size_t c = 0; c < s.size(); ++c) {
    const double pivot = std::max(s[c][c], least_pivot);
    sum += std::log(pivot);
    result.push_back(sum);
    for (std::size_t i = c + 1; i < s.size(); ++i)
      for (std::size_t j = c + 1; j < s.size(); ++j) s[i][j] -= s[i][c] * s[c][j] / pivot;
  }
  return result;
}

std::vector<std::vector<double>> covariances(const CodeMoments& m) {
  const auto k = static_cast<std::size_t>(m.k);
  std::vector<std::vector<double>> s(k, std::vector<double>(k));
  for (std::int64_t i = 0; i < m.k; ++i)
    for (std::int64_t j = 0; j < m.k; ++j)
      s[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = element(m, i, j);
  return s;
}

}  // namespace

std::vector<double> total_correlations(std::int64_t k, const std::vector<double>& correlations) {
  const auto size = static_cast<std::size_t>(k);
  std::vector<std::vector<double>> r(size, std::vector<double>(size, 1.0));
  std::size_t p = 0;
  for (const auto& [i, j] : latent_pairs(k)) {
    const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
    r[a][b] = r[b][a] = correlations[p++];
  }
  auto result = leading_log_dets(std::move(r));
  for (double& v : result) v *= -0.5;
  return result;
}

double log_volume(const CodeMoments& m, const Metric& metric) {
  return -0.5 * (leading_log_dets(covariances(m)).back() - metric.log_det);
}

double participation_ratio(const CodeMoments& m, const Metric& metric) {
  const auto s = covariances(m);
  const auto k = s.size();
  // Eigenvalues of the covariance of the decoded attributes are those of S G, G the product of the linear decoder.
  std::vector<std::vector<double>> sg(k, std::vector<double>(k));
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < k; ++j)
      for (std::size_t l = 0; l < k; ++l) sg[i][j] += s[i][l] * metric.decoder_product.values[l * k + j];
  double trace = 0, square = 0;
  for (std::size_t i = 0; i < k; ++i) {
    trace += sg[i][i];
    for (std::size_t j = 0; j < k; ++j) square += sg[i][j] * sg[j][i];
  }
  return square > 0 ? trace * trace / square : 0;
}

std::vector<double> benjamini_hochberg(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> q(p.size());
  double least = 1;
  for (std::size_t rank = p.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    least = std::min(least, p[i] * static_cast<double>(p.size()) / static_cast<double>(rank));
    q[i] = least;
  }
  return q;
}

Links links_of(const DataMatrix& codes, const LatentConfig& config, const LinkStream& stream, const Context& context) {
  const auto pairs = latent_pairs(codes.columns);
  const auto r = moments_of(codes).correlations();
  const auto draws = [&](const char* kind, std::uint64_t item) {
    return Stream(stream.seed, {"latent", kind, stream.name}, item);
  };
  const auto boots = repeated(config.bootstraps, "latent: bootstraps of " + stream.name, context,
                              [&](std::uint64_t b) { return resampled(codes, draws("bootstrap", b)); });
  const auto null = repeated(config.permutations, "latent: permutations of " + stream.name, context,
                             [&](std::uint64_t b) { return shuffled(codes, draws("permutation", b)); });
  Links result;
  std::vector<double> p;
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    std::vector<double> values;
    std::int64_t exceeding = 0;
    for (const auto& b : boots) values.push_back(b[k]);
    for (const auto& n : null) exceeding += std::abs(n[k]) >= std::abs(r[k]) - tie ? 1 : 0;
    p.push_back(permutation_p(exceeding, config.permutations));
    const double low = quantile(values, level / 2), high = quantile(values, 1 - level / 2);
    result.pairs.push_back({pairs[k].first, pairs[k].second, r[k], low, high, p.back(), 1, false});
  }
  const auto q = benjamini_hochberg(p);
  for (std::size_t k = 0; k < q.size(); ++k) {
    result.pairs[k].q = q[k];
    result.pairs[k].significant = q[k] < level && std::abs(r[k]) >= weakest_link;
  }
  result.independence = independence_of(codes.columns, r, null);
  result.total_correlation = total_correlations(codes.columns, r).back();
  return result;
}

LatentComparison compare(const DataMatrix& first, const DataMatrix& second, const std::vector<LatentLink>& first_links,
                         const std::vector<LatentLink>& second_links, const Metric& metric, const LatentConfig& config,
                         const LinkStream& stream, const Context& context) {
  const auto pairs = latent_pairs(first.columns);
  const CodeMoments a = moments_of(first), b = moments_of(second);
  CodeMoments all = moments_of(first);
  for (std::int64_t i = 0; i < second.rows; ++i) all.add(second.row(i));
  const auto observed = differences(a, b, metric);
  const auto null = repeated(config.permutations, "latent: labels of " + stream.name, context, [&](std::uint64_t item) {
    const auto [one, other] =
        relabelled(first, second, all, Stream(stream.seed, {"latent", "labels", stream.name}, item));
    return differences(one, other, metric);
  });
  std::vector<double> p(observed.size());
  for (std::size_t s = 0; s < observed.size(); ++s) {
    std::int64_t exceeding = 0;
    for (const auto& n : null) exceeding += std::abs(n[s]) >= std::abs(observed[s]) - tie ? 1 : 0;
    p[s] = permutation_p(exceeding, config.permutations);
  }
  LatentComparison result;
  const std::size_t n = pairs.size();
  const auto q = benjamini_hochberg({p.begin(), p.begin() + static_cast<std::ptrdiff_t>(n)});
  for (std::size_t k = 0; k < n; ++k) {
    const bool known = !first_links.empty() && !second_links.empty();
    LatentDifference d{pairs[k].first,
                       pairs[k].second,
                       known ? state_of(first_links[k], second_links[k]) : "none",
                       observed[k],
                       p[k],
                       q[k],
                       false};
    d.different = d.q < level && d.state != "none";
    result.mean_delta_z += std::abs(d.delta_z) / static_cast<double>(n);
    result.pairs.push_back(std::move(d));
  }
  result.total_correlation = {observed[n], p[n]};
  result.log_volume = {observed[n + 1], p[n + 1]};
  result.participation_ratio = {observed[n + 2], p[n + 2]};
  result.largest_delta_z = observed[n + 3];
  result.largest_p = p[n + 3];
  return result;
}

}  // namespace cathoscope::latent_detail
