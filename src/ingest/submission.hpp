#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/tenants.hpp"
#include "model/event.hpp"
#include "store/events.hpp"

namespace socialsync::ingest {

// What one request wants written, and all that its rows point into. Not moved once the rows are made.
struct Submission {
  std::shared_ptr<const Tenants> tenants;
  std::string body;
  model::Webhook webhook;
  std::string signed_by;  // fingerprint; empty for an unsigned test

  std::vector<store::EventRow> events;
  std::vector<const model::Event*> event_of;    // beside `events`
  std::vector<const route::Tenant*> tenant_of;  // beside `events`; null for the app's own
  std::vector<store::QuarantineRow> quarantined;

  std::size_t rows() const { return events.size() + quarantined.size(); }
};

}  // namespace socialsync::ingest
