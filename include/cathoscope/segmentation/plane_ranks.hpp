#pragma once
/// The network's predictions on ranks that help: rank 0 sends the working volume, then asks for shares of its planes.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/ranks.hpp>
#include <cathoscope/core/star_fields.hpp>

#include <cstdint>
#include <functional>

namespace cathoscope {

/// What fused_fields() and fitted_view_weights() on rank 0 ask of rank `rank` > 0. `predictor` is called when planes come,
/// and `context` must outlive the tasks.
RankTasks plane_tasks(std::int64_t rank, const std::function<StarPredictor()>& predictor, const Context& context);

}  // namespace cathoscope
