// Makes a row for each part of a body: in webhook_logs, or in the quarantine with the reason.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/event_id.hpp"
#include "ingest/limits.hpp"
#include "ingest/submission.hpp"
#include "parse/split.hpp"
#include "route/directory.hpp"

namespace socialsync::ingest {

// One thread.
class Placer {
 public:
  // `split` is the split body. Its error quarantines the whole body; so does a body beyond the limits.
  std::shared_ptr<Submission> place(std::shared_ptr<const Tenants> tenants, std::string body,
                                    Result<model::Webhook, parse::ParseError> split,
                                    const route::Signers& signers, std::int64_t received_ms);

 private:
  void place_event(Submission& submission, const model::Event& event, const route::Signers& signers,
                   std::int64_t received_ms);
  void log(Submission& submission, const model::Event& event, const route::Tenant& tenant,
           std::int64_t received_ms);
  // Adds a delivery for each endpoint that selects the event.
  void queue(store::EventRow& row, const model::Event& event,
             std::span<const model::AccountEndpoint> endpoints);
  void log_app_level(Submission& submission, const model::Event& event, std::int64_t received_ms);
  store::EventRow row_of(const model::Event& event, const Uuid& account, std::int64_t received_ms);
  void quarantine(Submission& submission, const model::Event& event, std::string_view reason);
  void quarantine(Submission& submission, const model::Unreadable& part);
  void quarantine_body(Submission& submission, std::string_view reason);

  bool has_room(const Submission& submission, const model::Event& event);

  Limits limits_;
  EventIds ids_;
  std::vector<const route::Tenant*> found_;
  std::int64_t arrivals_ = 0;     // numbers the deliveries in order of arrival
  std::size_t logged_bytes_ = 0;  // bytes of the current submission
};

}  // namespace socialsync::ingest
