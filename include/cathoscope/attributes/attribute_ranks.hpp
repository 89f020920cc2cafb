#pragma once
/// Attributes on ranks that help: each opens the same electrode and measures its share of the particles.

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/ranks.hpp>

#include <functional>
#include <string>

namespace cathoscope {

/// What compute_attributes() on rank 0 asks of rank `rank` > 0. Before it, rank 0 must ask for "electrode" with the text
/// that `open` turns into the same inputs. `config` and `context` must outlive the tasks.
RankTasks attribute_tasks(std::int64_t rank, const AttributesConfig& config,
                          const std::function<AttributeInputs(const std::string& electrode)>& open,
                          const Context& context);

}  // namespace cathoscope
