#pragma once

#include <string>

#include "pg/session.hpp"

namespace socialsync::migrate {

// Which database it is, whatever name or address one reaches it by.
struct DatabaseIdentity {
  std::string name;
  std::string oid;
  std::string system_identifier;  // of the cluster, kept by its standbys; empty: we may not ask

  // The one and the other may be the same: what both know is equal.
  bool matches(const DatabaseIdentity& other) const;
};

DatabaseIdentity identify(pg::Session& session);

}  // namespace socialsync::migrate
