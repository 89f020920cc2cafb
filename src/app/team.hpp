#pragma once
/// The processes that mpirun or srun started together for one run. One alone where they did not.

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/ranks.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace cathoscope::app {

/// What the environment says of the launch, before any library is asked.
struct Launched {
  int rank = 0;
  int size = 1;
};
Launched launched();

/// Throws Error{usage} where several processes were started of a command that does not share its work.
void require_alone(const std::string& command);

/// Only for the main thread. In a program without MPI (team_alone.cpp) there is never more than one rank.
class Team {
 public:
  /// Throws Error{usage} where several processes were started and cannot find each other, unless each has a `part` of the
  /// work that is its own.
  explicit Team(bool part);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  /// How many of the ranks share this machine's memory.
  [[nodiscard]] int on_this_host() const;

  /// On rank 0: runs `work`, then lets the others go, whatever happened.
  Exit lead(const std::function<Exit()>& work);
  /// On rank 0: the others, as its stages ask them; `warn` shows what they warn of.
  Ranks ranks(std::function<void(const std::string&)> warn);
  /// On the others: does what rank 0 asks until it lets them go.
  void serve(const RankTasks& tasks, const Progress& progress);

  /// The same listener, which also hears whether another rank was asked to stop.
  ProgressListener listener(ProgressListener inner);

 private:
  struct Link;
  std::unique_ptr<Link> link_;
};

}  // namespace cathoscope::app
