// Which endpoints were repaired, as the database tells it.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/uuid.hpp"
#include "store/endpoints.hpp"

namespace socialsync::deliver {

class Repairs {
 public:
  // `endpoints` are all, as they were read a moment ago. Gives those that have another URL than at the last
  // reading, or were failing then and are not now: somebody has seen to them.
  std::vector<Uuid> since_last(std::span<const store::EndpointState> endpoints);

 private:
  struct Seen {
    std::string url;
    bool is_failing = false;
  };

  std::unordered_map<Uuid, Seen> seen_;
};

}  // namespace socialsync::deliver
