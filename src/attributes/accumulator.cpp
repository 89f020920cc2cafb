#include "accumulator.hpp"

#include <algorithm>

namespace cathoscope::attributes {

namespace {

/// Sum of i^2 for i < n.
std::int64_t squares_below(std::int64_t n) { return (n - 1) * n * (2 * n - 1) / 6; }

}  // namespace

void ParticleSums::add(const ParticleSums& o) {
  voxels += o.voxels, crack_voxels += o.crack_voxels;
  x += o.x, y += o.y, z += o.z;
  xx += o.xx, yy += o.yy, zz += o.zz, xy += o.xy, xz += o.xz, yz += o.yz;
  for (std::size_t i = 0; i < 3; ++i) {
    low[i] = std::min(low[i], o.low[i]);
    high[i] = std::max(high[i], o.high[i]);
  }
  areas.inner += o.areas.inner;
  areas.solid_matrix += o.areas.solid_matrix, areas.crack_matrix += o.areas.crack_matrix;
  areas.solid_face += o.areas.solid_face, areas.crack_face += o.areas.crack_face;
  meets_unseen |= o.meets_unseen;
}

Box ParticleSums::box() const {
  Box b;
  for (std::size_t i = 0; i < 3; ++i) {
    b.begin[i] = low[i];
    b.end[i] = high[i] + 1;
  }
  return b;
}

void Accumulator::add_run(std::int32_t zi, std::int32_t yi, std::int32_t begin, const Run& run) {
  ParticleSums& s = sums_[label_of(run.state) - 1];
  const std::int64_t n = run.end - begin, z = zi, y = yi;
  const std::int64_t sum_x = (static_cast<std::int64_t>(begin) + run.end - 1) * n / 2;
  s.voxels += n;
  s.crack_voxels += is_crack(run.state) ? n : 0;
  s.x += sum_x, s.y += n * y, s.z += n * z;
  s.xx += squares_below(run.end) - squares_below(begin);
  s.yy += n * y * y, s.zz += n * z * z;
  s.xy += sum_x * y, s.xz += sum_x * z, s.yz += n * y * z;
  s.low = {std::min(s.low[0], zi), std::min(s.low[1], yi), std::min(s.low[2], begin)};
  s.high = {std::max(s.high[0], zi), std::max(s.high[1], yi), std::max(s.high[2], run.end - 1)};
}

void Accumulator::add_contact(State a, State b, std::int64_t amount) {
  if (a > b) std::swap(a, b);
  const std::uint64_t key = (std::uint64_t{label_of(a)} << 32) | label_of(b);
  if (key != last_key_) {
    last_ = &contacts_[key];
    last_->first = label_of(a), last_->second = label_of(b);
    last_key_ = key;
  }
  last_->area[is_crack(a)][is_crack(b)] += amount;
}

void Accumulator::meet_unseen(State a, State b) {
  if (is_particle(a)) sums_[label_of(a) - 1].meets_unseen = true;
  if (is_particle(b)) sums_[label_of(b) - 1].meets_unseen = true;
}

void Accumulator::merge(const Accumulator& other) {
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i].add(other.sums_[i]);
  for (const auto& [key, contact] : other.contacts_) {
    Contact& mine = contacts_[key];
    mine.first = contact.first, mine.second = contact.second;
    for (std::size_t p = 0; p < 2; ++p)
      for (std::size_t q = 0; q < 2; ++q) mine.area[p][q] += contact.area[p][q];
  }
}

std::vector<Contact> Accumulator::contacts() const {
  std::vector<Contact> all;
  all.reserve(contacts_.size());
  for (const auto& entry : contacts_) all.push_back(entry.second);
  std::sort(all.begin(), all.end(), [](const Contact& p, const Contact& q) {
    return p.first != q.first ? p.first < q.first : p.second < q.second;
  });
  return all;
}

std::unique_ptr<Accumulator> AccumulatorPool::take() {
  {
    const std::scoped_lock lock(mutex_);
    if (!free_.empty()) {
      auto mine = std::move(free_.back());
      free_.pop_back();
      return mine;
    }
  }
  return std::make_unique<Accumulator>(particles_);
}

Accumulator AccumulatorPool::total() {
  Accumulator sum(particles_);
  for (const auto& part : free_) sum.merge(*part);
  return sum;
}

}  // namespace cathoscope::attributes
