#include "store/pulled_events.hpp"

namespace socialsync::store {
namespace {

constexpr const char* claim = R"(
SELECT log_id::text, webhook_type, payload::text, external_message_id, customer_identifier,
       to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), claims::text
FROM public.claim_webhooks($1::uuid, $2::integer, $3::bigint * interval '1 second'))";

constexpr const char* end = R"(
SELECT public.mark_webhook_processed(id)
FROM (SELECT id FROM public.webhook_logs WHERE id = ANY ($1::uuid[]) ORDER BY id) AS l)";

}  // namespace

boost::asio::awaitable<std::vector<PulledEvent>> claim_events(pg::Connection& connection,
                                                              const std::optional<Uuid>& account,
                                                              std::uint64_t events_max,
                                                              std::chrono::seconds lease) {
  pg::Statement statement{.name = "claim_webhooks", .sql = claim};
  account ? statement.with(to_string(*account)) : statement.with_null();
  statement.with(std::to_string(events_max)).with(std::to_string(lease.count()));
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<PulledEvent> events;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto text = [&](int column) { return std::string(rows.text(row, column)); };
    events.push_back({.id = text(0),
                      .type = text(1),
                      .payload = text(2),
                      .message_id = text(3),
                      .customer = text(4),
                      .received_at = text(5),
                      .claims = std::stoull(text(6))});
  }
  co_return events;
}

boost::asio::awaitable<void> end_events(pg::Connection& connection, const std::vector<PulledEvent>& events) {
  pg::Array ids(pg::Type::uuid);
  for (const PulledEvent& event : events)
    if (const auto id = parse_uuid(event.id)) ids.add(*id);
  pg::Statement statement{.name = "end_webhooks", .sql = end};
  statement.with(std::move(ids));
  co_await connection.run(statement);
}

}  // namespace socialsync::store
