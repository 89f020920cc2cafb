#include <torch/optim/lbfgs.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cathoscope/core/error.hpp>
#include <cathoscope/latent/training.hpp>

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <cmath>
#include <mutex>

namespace cathoscope::latent_detail {

namespace {

/// Networks here are small: restarts run side by side, each on one thread. A matrix product that is split over threads
/// could also differ in its last bits.
void use_one_thread() {
  static std::once_flag once;
  std::call_once(once, [] {
    using SetThreads = void (*)(int);
    if (auto* set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(1);
  });
  if (at::get_num_threads() != 1) at::set_num_threads(1);
}

torch::Tensor tensor_of(const std::vector<double>& values, const std::vector<std::int64_t>& shape) {
  return torch::from_blob(const_cast<double*>(values.data()), shape, torch::kFloat64).clone();
}

/// The weights as views of one flat tensor.
struct Weights {
  torch::Tensor a, w1, b1, w2, c, w3, b3, w4, b4;

  Weights(const torch::Tensor& p, const Autoencoder& n) {
    std::int64_t at = 0;
    const auto next = [&](std::initializer_list<std::int64_t> shape) {
      std::int64_t size = 1;
      for (const auto s : shape) size *= s;
      at += size;
      return p.narrow(0, at - size, size).view(shape);
    };
    a = next({n.inputs, n.latents});
    w1 = next({n.inputs, n.hidden});
    b1 = next({n.hidden});
    w2 = next({n.hidden, n.latents});
    c = next({n.latents, n.inputs});
    w3 = next({n.latents, n.hidden});
    b3 = next({n.hidden});
    w4 = next({n.hidden, n.inputs});
    b4 = next({n.inputs});
  }
};

struct Batch {
  torch::Tensor x;       ///< rows x inputs
  torch::Tensor weight;  ///< rows x 1, of sum 1
};

Batch batch_of(const TrainingRows& rows, const std::vector<std::uint8_t>& skip, bool skipped) {
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < rows.x.rows; ++i)
    if (skip.empty() || (skip[static_cast<std::size_t>(i)] != 0) == skipped) index.push_back(i);
  const auto pick = torch::tensor(index, torch::kInt64);
  Batch batch{tensor_of(rows.x.values, {rows.x.rows, rows.x.columns}).index_select(0, pick),
              tensor_of(rows.weight, {rows.x.rows, 1}).index_select(0, pick)};
  if (!index.empty()) batch.weight = batch.weight / batch.weight.sum();
  return batch;
}

/// 1 for weights that may be other than 0.
torch::Tensor allowed(const Autoencoder& n, const std::vector<std::int64_t>& group) {
  auto mask = torch::ones({static_cast<std::int64_t>(flat(n).size())}, torch::kFloat64);
  if (group.empty()) return mask;
  Weights w(mask, n);
  for (std::int64_t i = 0; i < n.inputs; ++i) {
    const std::int64_t g = group[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < n.latents; ++k) w.a[i][k] = k == g ? 1.0 : 0.0;
    for (std::int64_t u = 0; u < n.hidden; ++u) w.w1[i][u] = u % n.latents == g ? 1.0 : 0.0;
  }
  for (std::int64_t u = 0; u < n.hidden; ++u)
    for (std::int64_t k = 0; k < n.latents; ++k) w.w2[u][k] = u % n.latents == k ? 1.0 : 0.0;
  return mask;
}

torch::Tensor misfit(const Weights& w, const torch::Tensor& z, const Batch& batch, std::int64_t used) {
  const auto zk = z.narrow(1, 0, used);
  const auto hidden = torch::tanh(torch::mm(zk, w.w3.narrow(0, 0, used)) + w.b3);
  const auto error = torch::mm(zk, w.c.narrow(0, 0, used)) + torch::mm(hidden, w.w4) + w.b4 - batch.x;
  return (error * error * batch.weight).sum() / batch.x.size(1);
}

torch::Tensor mean_square_correlation(const torch::Tensor& z, const torch::Tensor& weight) {
  const auto centred = z - (z * weight).sum(0, true);
  const auto scaled = centred / (centred * centred * weight).sum(0, true).sqrt();
  const auto r = torch::mm((scaled * weight).t(), scaled);
  const auto off = r - torch::diag(torch::diag(r));
  const auto k = static_cast<double>(z.size(1));
  return (off * off).sum() / (k * (k - 1));
}

torch::Tensor loss_of(const torch::Tensor& masked, const Autoencoder& n, const Batch& batch, const TrainingPlan& plan) {
  const Weights w(masked, n);
  const auto z = torch::mm(batch.x, w.a) + torch::mm(torch::tanh(torch::mm(batch.x, w.w1) + w.b1), w.w2);
  auto loss = misfit(w, z, batch, n.latents);
  if (plan.nested) {
    for (std::int64_t k = 1; k < n.latents; ++k) loss = loss + misfit(w, z, batch, k);
    loss = loss / static_cast<double>(n.latents);
  }
  for (const auto& m : {w.w1, w.w2, w.w3, w.w4}) loss = loss + plan.weight_penalty * (m * m).sum();
  if (plan.decorrelation > 0 && n.latents > 1)
    loss = loss + plan.decorrelation * mean_square_correlation(z, batch.weight);
  return loss;
}

std::vector<double> values_of(const torch::Tensor& t) {
  const auto c = t.detach().contiguous();
  return {c.data_ptr<double>(), c.data_ptr<double>() + c.numel()};
}

double checked(double loss) {
  if (!std::isfinite(loss))
    fail(Exit::not_converged,
         "latent: training ended in a loss that is no number; look for columns with extreme values, or leave them out");
  return loss;
}

}  // namespace

double training_loss(const Autoencoder& network, const TrainingRows& rows, const TrainingPlan& plan,
                     std::vector<double>* gradient) {
  use_one_thread();
  const auto values = flat(network);
  auto p = tensor_of(values, {static_cast<std::int64_t>(values.size())}).requires_grad_(gradient != nullptr);
  const auto loss = loss_of(p * allowed(network, plan.group), network, batch_of(rows, {}, false), plan);
  if (gradient != nullptr) {
    loss.backward();
    *gradient = values_of(p.grad());
  }
  return loss.item<double>();
}

Trained train(const Autoencoder& start, const TrainingRows& rows, const std::vector<std::uint8_t>& held_out,
              const TrainingPlan& plan, Progress& progress) {
  constexpr std::int64_t steps_at_once = 20;
  constexpr int patience = 4;
  use_one_thread();
  const Batch learn = batch_of(rows, held_out, false), check = batch_of(rows, held_out, true);
  const auto mask = allowed(start, plan.group);
  const auto values = flat(start);
  auto p = (tensor_of(values, {static_cast<std::int64_t>(values.size())}) * mask).requires_grad_(true);
  torch::optim::LBFGS optimiser({p}, torch::optim::LBFGSOptions(1)
                                         .max_iter(steps_at_once)
                                         .max_eval(2 * steps_at_once)
                                         .history_size(20)
                                         .tolerance_grad(1e-8)
                                         .tolerance_change(1e-12)
                                         .line_search_fn("strong_wolfe"));
  const auto loss_now = [&](const Batch& batch) {
    const torch::NoGradGuard no_gradient;
    return checked(loss_of(p * mask, start, batch, plan).item<double>());
  };
  const bool with_check = check.x.size(0) > 0;
  Trained result;
  double best = with_check ? loss_now(check) : loss_now(learn);
  auto kept = p.detach().clone();
  int worse = 0;
  double before = loss_now(learn);
  for (std::int64_t done = 0; done < plan.iterations; done += steps_at_once) {
    progress.check_stop();
    optimiser.step([&] {
      optimiser.zero_grad();
      auto loss = loss_of(p * mask, start, learn, plan);
      loss.backward();
      return loss;
    });
    const double now = loss_now(learn), judged = with_check ? loss_now(check) : now;
    result.curve.push_back(now);
    result.holdout_curve.push_back(judged);
    worse = judged < best ? 0 : worse + 1;
    if (judged < best) {
      best = judged;
      kept = p.detach().clone();
    }
    if (worse >= patience || before - now <= 1e-6 * now) break;
    before = now;
  }
  result.network = unflattened(start, values_of(kept));
  result.loss = training_loss(result.network, rows, plan);
  return result;
}

}  // namespace cathoscope::latent_detail
