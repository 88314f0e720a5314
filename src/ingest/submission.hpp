#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/tenants.hpp"
#include "model/event.hpp"
#include "store/events.hpp"

namespace socialsync::ingest {

// The rows of one request, and the objects that they point into. Not moved once the rows exist.
struct Submission {
  std::shared_ptr<const Tenants> tenants;
  std::string body;
  model::Webhook webhook;
  std::string signed_by;  // the secret's fingerprint; empty for an unsigned test

  std::vector<store::EventRow> events;
  std::vector<const model::Event*> event_of;    // parallel to `events`
  std::vector<const route::Tenant*> tenant_of;  // parallel to `events`; null for events of the app
  std::vector<store::QuarantineRow> quarantined;

  std::size_t rows() const { return events.size() + quarantined.size(); }
};

}  // namespace socialsync::ingest
