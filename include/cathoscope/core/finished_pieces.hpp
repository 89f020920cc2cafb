#pragma once
/// Pieces of a long computation that an interrupted run had finished. A piece has a name and a few numbers; what it holds
/// follows from its name and the stage's key, so that using it instead of computing it again changes no bit.

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

struct FinishedPieces {
  std::function<std::optional<std::vector<double>>(const std::string& name)> find;
  std::function<void(const std::string& name, const std::vector<double>& values)> keep;
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

}  // namespace cathoscope
