#include "peer_attributes.hpp"

#include <itkImportImageFilter.h>
#include <itkLabelImageToShapeLabelMapFilter.h>
#include <itkMultiThreaderBase.h>

#include <chrono>

PeerResult measure_with_itk(const std::uint32_t* labels, std::int64_t n, std::size_t particles, bool perimeter) {
  itk::MultiThreaderBase::SetGlobalDefaultNumberOfThreads(1);
  itk::MultiThreaderBase::SetGlobalMaximumNumberOfThreads(1);
  using Image = itk::Image<std::uint32_t, 3>;
  using Import = itk::ImportImageFilter<std::uint32_t, 3>;
  auto import = Import::New();
  Import::RegionType region;
  region.SetSize(
      {{static_cast<itk::SizeValueType>(n), static_cast<itk::SizeValueType>(n), static_cast<itk::SizeValueType>(n)}});
  import->SetRegion(region);
  import->SetImportPointer(const_cast<std::uint32_t*>(labels), static_cast<itk::SizeValueType>(n * n * n), false);
  import->Update();
  using Filter = itk::LabelImageToShapeLabelMapFilter<Image>;
  auto filter = Filter::New();
  filter->SetInput(import->GetOutput());
  filter->SetComputePerimeter(perimeter);
  filter->SetNumberOfWorkUnits(1);
  const auto start = std::chrono::steady_clock::now();
  filter->Update();
  PeerResult result{std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), {}};
  if (!perimeter) return result;
  for (std::size_t i = 1; i <= particles; ++i)
    result.perimeters.push_back(filter->GetOutput()->GetLabelObject(static_cast<std::uint32_t>(i))->GetPerimeter());
  return result;
}
