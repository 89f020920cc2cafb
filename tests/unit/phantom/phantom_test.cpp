#include <cathoscope/core/error.hpp>
#include <cathoscope/phantom/phantom.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace cathoscope;

namespace {

Phantom tiny(std::uint64_t seed, int threads = 2) {
  Progress progress;
  const Context context{progress, threads};
  PhantomConfig config = phantom_preset("tiny");
  return with_natural_damage(make_phantom(config, seed, context), config.voxel_size_um, context);
}

template <class T>
bool same(const Array3<T>& a, const Array3<T>& b) {
  return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

/// The source read in blocks of another size.
template <class T>
Array3<T> in_blocks(const GridSource<T>& source, const Index3& block) {
  Progress progress;
  Array3<T> values = array3<T>(source.shape);
  copy_blocks(source, sink_into(values), block, {progress, 2});
  return values;
}

}  // namespace

TEST_CASE("the same phantom for any number of threads") {
  const Phantom one = tiny(3, 1), four = tiny(3, 4);
  CHECK(truth_yaml(one) == truth_yaml(four));
  REQUIRE(one.particles.size() == four.particles.size());
  for (std::size_t i = 0; i < one.particles.size(); ++i) {
    CHECK(one.particles[i].centre_um == four.particles[i].centre_um);
    CHECK(one.particles[i].radius_factor == four.particles[i].radius_factor);
    CHECK(one.particles[i].damage == four.particles[i].damage);
  }
}

TEST_CASE("the same voxels for any block size", "[slow]") {
  Phantom phantom = tiny(4);
  const double h = phantom.config.voxel_size_um;
  // Every effect is on, so that none can depend on blocks.
  phantom.config.noise.ring_sd = {4, 4};
  phantom.config.optics.fringe = {0.3, 0.3};
  phantom.config.artefacts.contrast_loss = {0.5, 0.5};
  phantom.config.artefacts.padding_share = 1;
  const bool lossy = GENERATE(false, true);
  phantom.config.artefacts.jpeg_share = lossy ? 1 : 0;
  phantom.config.artefacts.jpeg_quality = {80, 80};
  for (const Index3 block : {Index3{7, 64, 64}, Index3{32, 9, 64}, Index3{64, 33, 5}}) {
    CHECK(same(in_blocks(body_labels(phantom, h), block), body_labels(phantom, h).load().values));
    CHECK(same(in_blocks(cracks(phantom, h), block), cracks(phantom, h).load().values));
    CHECK(same(in_blocks(grey(phantom, h), block), grey(phantom, h).load().values));
    CHECK(same(in_blocks(crack_fraction(phantom, h), block), crack_fraction(phantom, h).load().values));
    CHECK(same(in_blocks(crack_free_grey(phantom, h), block), crack_free_grey(phantom, h).load().values));
  }
}

TEST_CASE("one pass gives what the sources give") {
  const Phantom phantom = tiny(5);
  const double h = phantom.config.voxel_size_um;
  const Box box{{3, 10, 0}, {40, 60, 64}};
  Array3<float> g = array3<float>(box.shape());
  Array3<std::uint32_t> l = array3<std::uint32_t>(box.shape());
  Array3<std::uint8_t> c = array3<std::uint8_t>(box.shape());
  render_block(phantom, h, box, {g.data(), l.data(), c.data()});
  CHECK(same(g, grey(phantom, h).load(box)));
  CHECK(same(l, body_labels(phantom, h).load(box)));
  CHECK(same(c, cracks(phantom, h).load(box)));
}

TEST_CASE("labels are dense and damage is what the masks say") {
  const Phantom phantom = tiny(6);
  const double h = phantom.config.voxel_size_um;
  const auto labels = body_labels(phantom, h).load().values;
  const auto mask = cracks(phantom, h).load().values;
  std::vector<std::int64_t> body(phantom.particles.size() + 1), crack(body.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    REQUIRE(labels.data()[i] <= phantom.particles.size());
    ++body[labels.data()[i]];
    crack[labels.data()[i]] += mask.data()[i];
  }
  CHECK(crack[0] == 0);
  for (std::size_t k = 0; k < phantom.particles.size(); ++k) {
    CHECK(body[k + 1] > 0);
    CHECK(body[k + 1] == phantom.particles[k].body_voxels);
    CHECK(phantom.particles[k].damage == static_cast<double>(crack[k + 1]) / static_cast<double>(body[k + 1]));
  }
}

TEST_CASE("every preset is sound, and an unknown one is named with a suggestion") {
  Progress progress;
  for (const std::string& name : phantom_presets()) {
    PhantomConfig config = phantom_preset(name);
    CHECK(config.preset == name);
    config.shape = {60, 60, 60};
    config.voxel_size_um = 0.4;
    const Phantom phantom = make_phantom(config, 1, {progress, 2});
    CHECK(phantom.particles.size() > 3);
    CHECK(truth_yaml(phantom).find("synthetic: true") != std::string::npos);
  }
  CHECK_THROWS_WITH(phantom_preset("demmo"), Catch::Contains("did you mean 'demo'") && Catch::Contains("paper50"));
}

TEST_CASE("a configuration that contradicts itself is refused by name") {
  Progress progress;
  const Context context{progress, 1};
  PhantomConfig config = phantom_preset("tiny");
  SECTION("an interval upside down") {
    config.noise.sd = {5, 2};
    CHECK_THROWS_WITH(make_phantom(config, 1, context), Catch::Contains("noise.sd: the first number"));
  }
  SECTION("an attribute that does not exist") {
    config.plant.terms = {{"Sphericty", 1}};
    CHECK_THROWS_WITH(make_phantom(config, 1, context), Catch::Contains("'Sphericty'"));
  }
  SECTION("an attribute that is damage itself") {
    config.plant.terms = {{"Damage", 1}};
    CHECK_THROWS_WITH(make_phantom(config, 1, context),
                      Catch::Contains("plant.terms.attribute: a body without cracks has no 'Damage'"));
  }
  SECTION("not a number") {
    config.optics.fringe_um = std::nan("");
    CHECK_THROWS_WITH(make_phantom(config, 1, context), Catch::Contains("optics.fringe_um"));
  }
  SECTION("more particles than memory") {
    config.shape = {100000, 100000, 100000};
    CHECK_THROWS_WITH(make_phantom(config, 1, context), Catch::Contains("particles"));
  }
  SECTION("no room for a particle") {
    config.shape = {2, 64, 64};
    CHECK_THROWS_AS(make_phantom(config, 1, context), Error);
  }
}

TEST_CASE("one electrode at two voxel sizes") {
  const Phantom phantom = tiny(7);
  const auto volumes = [&](double h) {
    std::vector<double> v(phantom.particles.size() + 1);
    for (const std::uint32_t l : body_labels(phantom, h).load().values) v[l] += h * h * h;
    return v;
  };
  const auto fine = volumes(0.2), coarse = volumes(0.4);
  CHECK(shape_at(phantom, 0.2) == Index3{112, 112, 112});
  for (std::size_t k = 1; k < fine.size(); ++k)
    // From 20 um3 on a body has 300 coarse voxels, some 200 of them at the rough surface, each counted with an error of
    // about 0.3 voxels: 1.5 %. Five of those.
    if (fine[k] > 20) CHECK(coarse[k] == Approx(fine[k]).epsilon(0.08));
}

TEST_CASE("crack fraction is partial volume: by slits, by samples and by mask alike") {
  Phantom phantom = tiny(8);
  const auto sum = [](const auto& values) { return std::accumulate(values.begin(), values.end(), 0.0); };
  const double h = phantom.config.voxel_size_um;
  const auto slits = crack_fraction(phantom, h).load().values;
  phantom.config.crack_samples = 4;
  const auto samples = crack_fraction(phantom, h).load().values;
  const double hard = sum(cracks(phantom, h).load().values), sampled = sum(samples);
  CHECK(hard > 500);
  // All sample the same cracks; a random error of sqrt(count) would be 4 %, thin cracks are sampled less evenly.
  CHECK(hard == Approx(sampled).epsilon(0.06));
  // A slit is not bent and does not end inside a voxel: a few per cent of the crack volume.
  CHECK(sum(slits) == Approx(sampled).epsilon(0.08));
  double square = 0, product = 0, other = 0;
  for (std::size_t i = 0; i < slits.size(); ++i) {
    const double a = static_cast<double>(slits.data()[i]), b = static_cast<double>(samples.data()[i]);
    REQUIRE((a >= 0 && a <= 1 && b >= 0 && b <= 1));
    square += a * a;
    other += b * b;
    product += a * b;
  }
  // At 0.35 um the pores around a core are of a voxel's size: the slit knows how much of a voxel is pore, not which part.
  CHECK(product / std::sqrt(square * other) > 0.9);
  CHECK(std::any_of(slits.begin(), slits.end(), [](float f) { return f > 0 && f < 1; }));
}

TEST_CASE("grey values come in the type asked for") {
  const Phantom phantom = tiny(9);
  const double h = phantom.config.voxel_size_um;
  const Box box{{30, 0, 0}, {31, 64, 64}};
  const auto real = grey(phantom, h).load(box);
  const auto bytes = grey_as<std::uint8_t>(phantom, h).load(box);
  const auto words = grey_as<std::uint16_t>(phantom, h).load(box);
  for (std::size_t i = 0; i < real.size(); ++i) {
    const float value = std::clamp(real.data()[i], 0.0F, 255.0F);
    CHECK(std::abs(static_cast<float>(bytes.data()[i]) - value) <= 0.5F);
    CHECK(std::abs(static_cast<float>(words.data()[i]) / 256 - value) <= 0.5F / 256 + 1e-4F);
  }
}
