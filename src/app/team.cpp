#include "team.hpp"

#include <cathoscope/core/text.hpp>

#include <cstdlib>

namespace cathoscope::app {

namespace {

int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  const auto value = text == nullptr ? std::nullopt : number_from(text);
  return value && *value >= 0 && *value < 1e6 ? static_cast<int>(*value) : otherwise;
}

}  // namespace

Launched launched() {
  // Open MPI's mpirun; MPICH's and Intel's; srun (a batch script has SLURM_NTASKS too, but is no task of a step)
  for (const auto& [size, rank] : {std::pair{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                                   {"PMI_SIZE", "PMI_RANK"},
                                   {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}})
    if (number_of(size, 1) > 1) return {number_of(rank, 0), number_of(size, 1)};
  return {};
}

void require_alone(const std::string& command) {
  if (const int size = launched().size; size > 1)
    fail(Exit::usage,
         "{} processes of `cathoscope {}` were started together, and it does not share its work: start one", size,
         command);
}

}  // namespace cathoscope::app
