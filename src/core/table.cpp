#include <cathoscope/core/error.hpp>
#include <cathoscope/core/table.hpp>

namespace cathoscope {

const std::vector<double>& Table::numbers(std::string_view name) const {
  const Column* column = find(name);
  if (column == nullptr || (column->numbers.empty() && rows() > 0))
    fail(Exit::internal, "table has no numeric column '{}'", name);
  return column->numbers;
}

}  // namespace cathoscope
