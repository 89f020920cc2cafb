#include "attribute_bodies.hpp"
#include "rank_doubles.hpp"
#include "tables.hpp"

#include <cathoscope/attributes/attribute_ranks.hpp>
#include <cathoscope/core/error.hpp>

#include <catch2/catch.hpp>

using namespace cathoscope;

namespace {

void check_ranks(const std::string& envelope) {
  const AttributeInputs inputs = test::crowded();
  AttributesConfig config;
  config.envelope = envelope;
  const auto alone = test::measured(inputs, config, 1);
  REQUIRE(alone.paper.rows() > 60);
  for (int size = 2; size <= 4; ++size) {
    Progress progress, quiet;
    const Context helper{quiet, 2, std::uint64_t{64} << 20};
    std::vector<RankTasks> helpers;
    const auto open = [&](const std::string& which) {
      CHECK(which == "the crowd");
      auto copy = inputs;
      return copy;
    };
    for (int rank = 1; rank < size; ++rank) helpers.push_back(attribute_tasks(rank, config, open, helper));
    const auto asked = std::make_shared<std::map<std::string, int>>();
    const Context context{progress, 2, std::uint64_t{1} << 30, test::in_process(helpers, asked)};
    on_all(context.ranks, "electrode", "the crowd", [] {});
    const auto shared = compute_attributes(config, inputs, context);
    CHECK(test::same(alone.paper, shared.paper));
    CHECK(test::same(alone.leak_free, shared.leak_free));
    CHECK((*asked)["particles"] >= 1);
  }
}

}  // namespace

TEST_CASE("attributes have the same bits for 1 to 4 ranks, whatever their threads and memory") {
  check_ranks("instance");
}

TEST_CASE("attributes of closed particles have the same bits for 1 to 4 ranks", "[slow]") { check_ranks("closing"); }

TEST_CASE("no particles are no work for any rank") {
  AttributeInputs inputs = test::crowded();
  inputs.labels.read = [](const Box& box, std::uint32_t* out) { std::fill_n(out, box.size(), 0U); };
  inputs.label_ids.clear();
  inputs.damage_partial_volume.clear();
  Progress progress;
  const Context helper{progress, 1};
  const AttributesConfig config;
  const auto tasks = attribute_tasks(
      1, config, [&](const std::string&) { return inputs; }, helper);
  const Context context{progress, 1, std::uint64_t{1} << 30, test::in_process({tasks})};
  on_all(context.ranks, "electrode", "", [] {});
  CHECK(compute_attributes(config, inputs, context).paper.rows() == 0);
}

TEST_CASE("a rank that reads other labels is refused") {
  const AttributeInputs inputs = test::crowded();
  AttributeInputs other = inputs;
  other.label_ids.push_back(999);
  if (!other.damage_partial_volume.empty()) other.damage_partial_volume.push_back(0);
  Progress progress;
  const Context helper{progress, 1};
  const AttributesConfig config;
  const auto tasks = attribute_tasks(
      1, config, [&](const std::string&) { return other; }, helper);
  const Context context{progress, 1, std::uint64_t{1} << 30, test::in_process({tasks})};
  on_all(context.ranks, "electrode", "", [] {});
  CHECK_THROWS_AS(compute_attributes(config, inputs, context), Error);
}
