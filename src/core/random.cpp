#include <cathoscope/core/random.hpp>

#include <cmath>
#include <numbers>

namespace cathoscope {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  constexpr std::uint64_t m0 = 0xD2511F53U, m1 = 0xCD9E8D57U;
  constexpr std::uint32_t w0 = 0x9E3779B9U, w1 = 0xBB67AE85U;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = m0 * c[0], p1 = m1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += w0;
    k[1] += w1;
  }
  return c;
}

namespace {

std::uint64_t mixed(std::uint64_t h, std::uint64_t v) {  // splitmix64 finaliser over a running state
  h += 0x9E3779B97F4A7C15ULL + v;
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9ULL;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBULL;
  return h ^ (h >> 31);
}

}  // namespace

std::uint64_t stream_key(std::uint64_t seed, std::initializer_list<std::string_view> names, std::uint64_t item) {
  std::uint64_t h = mixed(0, seed);
  for (const std::string_view name : names) {
    h = mixed(h, name.size());
    for (const char c : name) h = mixed(h, static_cast<unsigned char>(c));
  }
  return mixed(h, item);
}

std::uint32_t Stream::next32() {
  if (left_ == 0) {
    words_ = philox4x32({static_cast<std::uint32_t>(counter_), static_cast<std::uint32_t>(counter_ >> 32), 0, 0},
                        {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)});
    ++counter_;
    left_ = 4;
  }
  return words_[static_cast<std::size_t>(4 - left_--)];
}

std::uint64_t Stream::next64() {
  const std::uint64_t low = next32();
  return low | (static_cast<std::uint64_t>(next32()) << 32);
}

double Stream::uniform() { return static_cast<double>(next64() >> 11) * 0x1.0p-53; }

double Stream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double r = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double a = 2.0 * std::numbers::pi * uniform();
  spare_ = r * std::sin(a);
  has_spare_ = true;
  return r * std::cos(a);
}

std::uint64_t Stream::below(std::uint64_t n) {
  __extension__ using Wide = unsigned __int128;
  std::uint64_t x = next64();
  Wide product = static_cast<Wide>(x) * n;
  auto low = static_cast<std::uint64_t>(product);
  if (low < n) {
    const std::uint64_t threshold = (0 - n) % n;
    while (low < threshold) {
      x = next64();
      product = static_cast<Wide>(x) * n;
      low = static_cast<std::uint64_t>(product);
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t Stream::poisson(double mean) {
  const double limit = std::exp(-mean);
  double product = uniform();
  std::uint64_t n = 0;
  while (product > limit) {
    product *= uniform();
    ++n;
  }
  return n;
}

}  // namespace cathoscope
