/// The walk compiled for the least CPU against the one that the library chooses for this CPU.
#include "../../../src/regression/traversal_tree.hpp"
#include "small_trees.hpp"

#define CATHOSCOPE_WIDER_TOO
#define traversal_tree traversal_tree_plain
#define add_values add_values_plain
#define add_pairs add_pairs_plain
#include "../../../src/regression/traversal_tree.cpp"
#undef traversal_tree
#undef add_values
#undef add_pairs

#include <catch2/catch.hpp>

using namespace cathoscope;

TEST_CASE("wider vector units give the same bits") {
  Stream random(1, {"same bits"});
  for (const std::size_t features :
       {std::size_t{4}, std::size_t{14}, std::size_t{22}, std::size_t{30}, std::size_t{60}}) {
    Tree source = small::random_tree(random, features, 1);
    std::size_t node = 1;  // a chain through all features, then a random crown
    for (std::size_t f = 0; f < features; ++f) {
      small::split(source, node, static_cast<int>(f), 5, random.normal(), source.cover[node] / 3, random.normal(),
                   source.cover[node] * 2 / 3);
      node = static_cast<std::size_t>(source.right[node]);
    }
    const TraversalTree tree = traversal_tree(source);
    TraversalScratch scratch;
    for (int i = 0; i < 20; ++i) {
      const auto row = small::random_row(random, features);
      std::vector<double> wide(features, 0), plain(features, 0);
      add_values(tree, row.data(), features, scratch, wide.data());
      add_values_plain(tree, row.data(), features, scratch, plain.data());
      CHECK(wide == plain);
    }
  }
}
