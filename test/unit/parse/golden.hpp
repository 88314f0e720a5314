// The bodies of test/golden.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace socialsync::parse::test {

struct GoldenBody {
  std::filesystem::path path;
  std::string text;
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Every .json file in `folder` and below, in order of their names.
inline std::vector<GoldenBody> bodies_in(const std::filesystem::path& folder) {
  std::vector<GoldenBody> found;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().extension() == ".json") found.push_back({file.path(), content_of(file.path())});
  }
  std::ranges::sort(found, {}, &GoldenBody::path);
  return found;
}

inline std::vector<GoldenBody> golden_bodies() { return bodies_in(SOCIALSYNC_GOLDEN); }

}  // namespace socialsync::parse::test
