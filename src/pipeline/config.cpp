#include <cathoscope/pipeline/config.hpp>

namespace cathoscope::describing {

template TypeInfo type_of(const Config& value);
template ConfigValue tree_of(const Config& value);
template void assign(Config& value, const ConfigValue& tree);
template void check_all(Problems& problems, const Config& value, const std::string& prefix);

}  // namespace cathoscope::describing
