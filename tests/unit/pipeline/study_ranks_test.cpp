#include <cathoscope/core/error.hpp>
#include <cathoscope/pipeline/study_ranks.hpp>

#include <catch2/catch.hpp>

using namespace cathoscope;

namespace {

Exit refused(const RankFacts& first, const RankFacts& other, const std::string& word) {
  try {
    require_agreement(first, unpacked_facts(packed(other)));
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find(word) != std::string::npos);
    return e.exit();
  }
  return Exit::ok;
}

}  // namespace

TEST_CASE("ranks must be one program on one study and, where a network predicts, on one kind of processor") {
  Config config;
  const RankFacts facts = rank_facts(config, {});
  CHECK(refused(facts, facts, "") == Exit::ok);

  RankFacts other = facts;
  other.program = "0.0.9 (elsewhere)";
  CHECK(refused(facts, other, "0.0.9 (elsewhere)") == Exit::version);

  Config changed = config;
  changed.seed += 1;
  CHECK(refused(facts, rank_facts(changed, {}), "seed: " + std::to_string(changed.seed)) == Exit::config);
  changed = config;
  changed.runtime.threads = 3;  // every rank may have its own
  CHECK(refused(facts, rank_facts(changed, {}), "") == Exit::ok);

  config.segmentation.method = "network";
  const RankFacts asks = rank_facts(config, {});
  other = asks;
  other.processor = "an abacus";
  CHECK(refused(asks, other, "an abacus") == Exit::unavailable);
  config.segmentation.method = "watershed";
  CHECK(rank_facts(config, {}).processor.empty());
}
