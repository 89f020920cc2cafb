#pragma once
/// Pieces of a long computation that an interrupted run, or the shards of it, had finished. A piece has a name and a few
/// numbers; what it holds follows from its name and the stage's key, so that using it instead of computing it again changes
/// no bit.

#include <cathoscope/core/random.hpp>
#include <cathoscope/core/shard.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

struct FinishedPieces {
  std::function<std::optional<std::vector<double>>(const std::string& name)> find;
  std::function<void(const std::string& name, const std::vector<double>& values)> keep;
  Shard shard{};  ///< whose pieces are computed; of more than one, the computation is for the pieces alone
};

/// The numbers of piece `name`: as they were kept, if there are `count` of them; else those of f(), which are kept.
/// Without `pieces` simply f(). To be called from any thread.
template <class F>
std::vector<double> finished_or(const FinishedPieces* pieces, const std::string& name, std::size_t count, F&& f) {
  if (pieces == nullptr) return f();
  if (auto known = pieces->find(name); known && known->size() == count) return *std::move(known);
  std::vector<double> values = f();
  pieces->keep(name, values);
  return values;
}

/// Whether a piece is the shard's: the `number`-th of those that differ by their number only, which `list` names. Every
/// piece is one shard's, whatever the number of shards. Lists begin with different shards, so that many short ones are no
/// burden to the first.
inline bool is_of(const Shard& shard, const std::string& list, std::uint64_t number) {
  return shard.has(stream_key(0, {"shard", list}) / 2 + number);
}

}  // namespace cathoscope
