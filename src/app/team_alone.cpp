// The team of a program that was built without MPI.
#include "team.hpp"

namespace cathoscope::app {

struct Team::Link {
  int rank = 0;
};

Team::Team(bool part) : link_(std::make_unique<Link>()) {
  if (launched().size == 1 || part) return;
  link_->rank = launched().rank;  // the first of them says it, the others leave
  if (link_->rank == 0)
    fail(Exit::usage,
         "{} processes of this run were started together, but this program was built without MPI, so each would do all "
         "of it. Use cathoscope-mpi (built with -DCATHOSCOPE_MPI=ON), start one process, or give each a --shard i/n",
         launched().size);
}
Team::~Team() = default;

int Team::rank() const { return link_->rank; }
int Team::size() const { return 1; }
int Team::on_this_host() const { return 1; }
Exit Team::lead(const std::function<Exit()>& work) { return work(); }
Ranks Team::ranks(std::function<void(const std::string&)>) { return {}; }
void Team::serve(const RankTasks&, const Progress&) {}
ProgressListener Team::listener(ProgressListener inner) { return inner; }

}  // namespace cathoscope::app
