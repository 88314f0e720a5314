#include "store/endpoint_health.hpp"

namespace socialsync::store {
namespace {

constexpr const char* time_format = R"(YYYY-MM-DD"T"HH24:MI:SS"Z")";

// The account is a parameter too, so that the plan uses its index.
constexpr const char* select_health = R"(
WITH endpoint AS (SELECT id, webhook_events FROM public.webhook_endpoints WHERE id = $1::uuid),
waiting AS (
  SELECT count(*) FILTER (WHERE due_at <= now()) AS due, min(created_at) FILTER (WHERE due_at < 'infinity') AS since,
         min(due_at) FILTER (WHERE due_at <= now()) AS due_since,
         min(due_at) FILTER (WHERE due_at > now() AND due_at < 'infinity') AS next_due_at
  FROM public.webhook_deliveries WHERE endpoint_id = $1::uuid),
day AS (
  SELECT count(*) AS events, count(*) FILTER (WHERE l.status = 'ignored') AS ignored,
         count(*) FILTER (WHERE l.status IS DISTINCT FROM 'ignored'
                            AND (e.webhook_events IS NULL OR l.webhook_type = ANY (e.webhook_events))) AS wanted
  FROM endpoint AS e, public.webhook_logs AS l
  WHERE (l.social_account_id = $2::uuid OR $2::uuid IS NULL AND l.social_account_id IS NULL)
    AND l.created_at > now() - interval '1 day')
SELECT w.due::text, to_char(w.since AT TIME ZONE 'UTC', $3), to_char(w.due_since AT TIME ZONE 'UTC', $3),
       to_char(w.next_due_at AT TIME ZONE 'UTC', $3), coalesce(w.due_since < now() - interval '1 minute', false)::text,
       (SELECT to_char(attempted_at AT TIME ZONE 'UTC', $3) FROM public.webhook_delivery_attempts
        WHERE endpoint_id = $1::uuid AND error IS NULL ORDER BY attempted_at DESC LIMIT 1),
       EXISTS (SELECT FROM public.webhook_delivery_attempts
               WHERE endpoint_id = $1::uuid AND attempted_at > now() - interval '5 minutes')::text,
       coalesce((SELECT is_active FROM public.social_accounts WHERE id = $2::uuid), $2::uuid IS NULL)::text,
       (SELECT to_char(max(l.created_at) AT TIME ZONE 'UTC', $3) FROM public.webhook_logs AS l
        WHERE l.social_account_id = $2::uuid OR $2::uuid IS NULL AND l.social_account_id IS NULL),
       d.events::text, d.ignored::text, d.wanted::text
FROM endpoint, waiting AS w, day AS d)";

std::uint64_t number_at(const pg::ResultSet& rows, int column) {
  return std::stoull(std::string(rows.text(0, column)));
}

}  // namespace

boost::asio::awaitable<std::optional<EndpointHealth>> find_endpoint_health(pg::Connection& connection,
                                                                           const Uuid& endpoint_id,
                                                                           const std::string& account_id) {
  pg::Statement select{.name = "select_endpoint_health", .sql = select_health};
  select.with(to_string(endpoint_id));
  account_id.empty() ? select.with_null() : select.with(account_id);
  select.with(time_format);
  const pg::ResultSet rows = co_await connection.run(select);
  if (rows.rows() == 0) co_return std::nullopt;
  const auto text = [&rows](int column) { return std::string(rows.text(0, column)); };
  co_return EndpointHealth{.due = number_at(rows, 0),
                           .waiting_since = text(1),
                           .due_since = text(2),
                           .next_due_at = text(3),
                           .is_overdue = text(4) == "true",
                           .delivered_at = text(5),
                           .is_tried = text(6) == "true",
                           .is_account_active = text(7) == "true",
                           .event_at = text(8),
                           .events_of_a_day = number_at(rows, 9),
                           .ignored_of_a_day = number_at(rows, 10),
                           .wanted_of_a_day = number_at(rows, 11)};
}

}  // namespace socialsync::store
