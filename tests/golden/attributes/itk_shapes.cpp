#include "itk_shapes.hpp"

#include <itkImportImageFilter.h>
#include <itkLabelImageToShapeLabelMapFilter.h>

#include <algorithm>

namespace test {

std::vector<ItkShape> itk_shapes(const std::vector<std::uint32_t>& labels, const std::array<std::int64_t, 3>& shape,
                                 const std::array<double, 3>& spacing) {
  using Image = itk::Image<std::uint32_t, 3>;
  auto image = Image::New();
  const Image::SizeType size{static_cast<itk::SizeValueType>(shape[2]), static_cast<itk::SizeValueType>(shape[1]),
                             static_cast<itk::SizeValueType>(shape[0])};
  image->SetRegions(Image::RegionType(size));
  const double h[3]{spacing[2], spacing[1], spacing[0]};
  image->SetSpacing(h);
  image->Allocate();
  std::copy(labels.begin(), labels.end(), image->GetBufferPointer());
  using Object = itk::ShapeLabelObject<std::uint32_t, 3>;
  auto filter = itk::LabelImageToShapeLabelMapFilter<Image, itk::LabelMap<Object>>::New();
  filter->SetInput(image);
  filter->SetComputePerimeter(true);
  filter->Update();
  std::vector<ItkShape> result;
  for (const auto& object : filter->GetOutput()->GetLabelObjects()) {
    ItkShape s;
    s.label = object->GetLabel();
    s.volume = object->GetPhysicalSize();
    s.perimeter = object->GetPerimeter();
    s.elongation = object->GetElongation();
    for (unsigned int a = 0; a < 3; ++a) {
      s.centroid[a] = object->GetCentroid()[a];
      for (unsigned int b = 0; b < 3; ++b)
        for (unsigned int k = 0; k < 3; ++k)
          s.covariance[a][b] +=
              object->GetPrincipalMoments()[k] * object->GetPrincipalAxes()[k][a] * object->GetPrincipalAxes()[k][b];
    }
    result.push_back(s);
  }
  return result;
}

}  // namespace test
