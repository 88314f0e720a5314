#include "store/events.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/text.hpp"

namespace socialsync::store {
namespace {

constexpr std::size_t identifier_characters_max = 255;

// One unnest() per column costs PostgreSQL half as much as FROM unnest(…) of all columns, which copies every
// value into a tuplestore.
constexpr const char* insert_events = R"(
WITH inserted AS (
INSERT INTO public.webhook_logs (id, social_account_id, user_id, platform, webhook_type, status, payload,
                                 exact_payload, external_message_id, customer_identifier)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[])::public.social_platform,
       unnest($5::text[]), unnest($6::text[]), unnest($7::jsonb[]), unnest($8::bytea[]), unnest($9::text[]),
       unnest($10::text[])
ON CONFLICT (id) DO NOTHING
RETURNING id))";

// The id of an undated event holds the time of its receipt, so its key decides whether the event is new.
constexpr const char* insert_undated_events = R"(
WITH fresh AS (
  INSERT INTO socialsync.webhook_event_keys (key, log_id)
  SELECT key, id FROM unnest($11::uuid[], $1::uuid[]) AS k (key, id) ORDER BY key
  ON CONFLICT (key) DO NOTHING
  RETURNING log_id),
inserted AS (
INSERT INTO public.webhook_logs (id, social_account_id, user_id, platform, webhook_type, status, payload,
                                 exact_payload, external_message_id, customer_identifier)
SELECT id, account_id, user_id, platform::public.social_platform, type, status, payload, exact, external, customer
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::bytea[],
            $9::text[], $10::text[])
  AS e (id, account_id, user_id, platform, type, status, payload, exact, external, customer)
WHERE id IN (SELECT log_id FROM fresh)
ON CONFLICT (id) DO NOTHING
RETURNING id))";

// Follows either of them: only new events are queued for delivery. Customers with equal hashes share one
// order; this only makes them wait for each other.
constexpr const char* queue_deliveries = R"(,
queued AS (
  INSERT INTO public.webhook_deliveries (event_id, endpoint_id, due_at, conversation, position)
  SELECT d.event_id, d.endpoint_id, now() + d.lease_ms * interval '1 ms', hashtextextended(d.customer, 0),
         CASE WHEN d.customer IS NOT NULL THEN nextval('public.webhook_delivery_position') END
  FROM (SELECT d.* FROM unnest({}::uuid[], {}::uuid[], {}::bigint[], {}::text[], {}::bigint[])
          AS d (event_id, endpoint_id, lease_ms, customer, arrival)
        JOIN inserted ON inserted.id = d.event_id
        ORDER BY d.arrival) AS d
  ON CONFLICT (event_id, endpoint_id) DO NOTHING))";

constexpr const char* select_inserted = "\nSELECT id FROM inserted";
constexpr const char* notify_deliveries = "SELECT pg_notify($1, '')";

// Each statement with and without deliveries: most installations have none.
struct InsertStatements {
  std::string plain;
  std::string queueing;

  InsertStatements(const char* insert, int parameters)
      : plain(std::string(insert) + select_inserted),
        queueing(insert +
                 fmt::format(fmt::runtime(queue_deliveries), parameter(parameters + 1),
                             parameter(parameters + 2), parameter(parameters + 3), parameter(parameters + 4),
                             parameter(parameters + 5)) +
                 select_inserted) {}

 private:
  static std::string parameter(int number) { return fmt::format("${}", number); }
};
const InsertStatements dated_statements(insert_events, 10);
const InsertStatements undated_statements(insert_undated_events, 11);

constexpr const char* insert_quarantined = R"(
INSERT INTO public.webhook_quarantine (id, reason, platform, routing_key, webhook_type, detail, signed_by, body,
                                       event_time)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::bytea[], $9::timestamptz[])
ON CONFLICT (id) DO NOTHING)";

void add_uuid(pg::Array& array, const std::optional<Uuid>& id) {
  if (id) {
    array.add(*id);
  } else {
    array.add_null();
  }
}

void add_identifier(pg::Array& array, std::string_view text) {
  array.add_or_null(first_characters(text, identifier_characters_max));
}

class EventColumns {
 public:
  void add(const EventRow& row) {
    id_.add(row.id);
    add_uuid(account_id_, row.account_id);
    add_uuid(user_id_, row.user_id);
    platform_.add(row.platform);
    type_.add(row.type);
    status_.add(row.status);
    payload_.add_jsonb(row.payload);
    if (row.exact_payload) {
      exact_.add(*row.exact_payload);
    } else {
      exact_.add_null();
    }
    add_identifier(external_, row.external_message_id);
    add_identifier(customer_, row.customer);
    if (row.undated_key) key_.add(*row.undated_key);
    for (const QueuedDelivery& delivery : row.deliveries) add(row, delivery);
    ++size_;
  }

  bool empty() const { return size_ == 0; }
  bool is_announced() const { return is_announced_; }

  pg::Statement dated() && {
    pg::Statement statement{
        .name = "insert_events", .sql = dated_statements.plain.c_str(), .binary_results = true};
    if (has_deliveries_)
      statement = {
          .name = "insert_events_queueing", .sql = dated_statements.queueing.c_str(), .binary_results = true};
    std::move(*this).fill(statement);
    if (has_deliveries_) std::move(*this).fill_deliveries(statement);
    return statement;
  }
  pg::Statement undated() && {
    pg::Statement statement{
        .name = "insert_undated_events", .sql = undated_statements.plain.c_str(), .binary_results = true};
    if (has_deliveries_)
      statement = {.name = "insert_undated_events_queueing",
                   .sql = undated_statements.queueing.c_str(),
                   .binary_results = true};
    std::move(*this).fill(statement);
    statement.with(std::move(key_));
    if (has_deliveries_) std::move(*this).fill_deliveries(statement);
    return statement;
  }

 private:
  void add(const EventRow& row, const QueuedDelivery& delivery) {
    delivery_event_.add(row.id);
    delivery_endpoint_.add(delivery.endpoint_id);
    delivery_lease_.add(static_cast<std::int64_t>(delivery.lease.count()));
    if (delivery.is_ordered) {
      delivery_customer_.add(first_characters(row.customer, identifier_characters_max));
    } else {
      delivery_customer_.add_null();
    }
    delivery_arrival_.add(delivery.arrival);
    has_deliveries_ = true;
    is_announced_ = is_announced_ || delivery.is_announced;
  }

  void fill(pg::Statement& statement) && {
    for (pg::Array* column : {&id_, &account_id_, &user_id_, &platform_, &type_, &status_, &payload_, &exact_,
                              &external_, &customer_})
      statement.with(std::move(*column));
  }
  void fill_deliveries(pg::Statement& statement) && {
    for (pg::Array* column :
         {&delivery_event_, &delivery_endpoint_, &delivery_lease_, &delivery_customer_, &delivery_arrival_})
      statement.with(std::move(*column));
  }

  pg::Array id_{pg::Type::uuid}, account_id_{pg::Type::uuid}, user_id_{pg::Type::uuid},
      platform_{pg::Type::text}, type_{pg::Type::text}, status_{pg::Type::text}, payload_{pg::Type::jsonb},
      exact_{pg::Type::bytea}, external_{pg::Type::text}, customer_{pg::Type::text}, key_{pg::Type::uuid};
  pg::Array delivery_event_{pg::Type::uuid}, delivery_endpoint_{pg::Type::uuid},
      delivery_lease_{pg::Type::bigint}, delivery_customer_{pg::Type::text},
      delivery_arrival_{pg::Type::bigint};
  std::size_t size_ = 0;
  bool has_deliveries_ = false;
  bool is_announced_ = false;
};

pg::Statement quarantine_statement(std::span<const QuarantineRow* const> rows) {
  pg::Array id(pg::Type::uuid), reason(pg::Type::text), platform(pg::Type::text), key(pg::Type::text),
      type(pg::Type::text), detail(pg::Type::text), signed_by(pg::Type::text), body(pg::Type::bytea),
      time(pg::Type::timestamptz);
  for (const QuarantineRow* row : rows) {
    id.add(row->id);
    reason.add(row->reason);
    platform.add_or_null(row->platform);
    add_identifier(key, row->routing_key);
    type.add_or_null(row->type);
    detail.add_or_null(row->detail);
    signed_by.add_or_null(row->signed_by);
    body.add(row->body);
    if (row->event_time_ms) {
      time.add_timestamp(*row->event_time_ms);
    } else {
      time.add_null();
    }
  }
  pg::Statement statement{.name = "insert_quarantined", .sql = insert_quarantined};
  for (pg::Array* column : {&id, &reason, &platform, &key, &type, &detail, &signed_by, &body, &time})
    statement.with(std::move(*column));
  return statement;
}

// Sets is_new on the events whose ids were returned. If the batch holds an id twice, one of the two is new.
void mark_new(std::span<EventRow* const> events, std::span<const pg::ResultSet> inserted) {
  std::vector<Uuid> ids;
  for (const pg::ResultSet& rows : inserted) {
    for (std::size_t row = 0; row < rows.rows(); ++row) ids.push_back(rows.uuid(row, 0));
  }
  std::ranges::sort(ids);
  std::vector<bool> taken(ids.size(), false);
  for (EventRow* event : events) {
    const auto found = std::ranges::lower_bound(ids, event->id);
    const auto at = static_cast<std::size_t>(found - ids.begin());
    event->is_new = found != ids.end() && *found == event->id && !taken[at];
    if (event->is_new) taken[at] = true;
  }
}

}  // namespace

boost::asio::awaitable<void> write_batch(pg::Connection& connection, std::span<EventRow* const> events,
                                         std::span<const QuarantineRow* const> quarantined) {
  EventColumns dated;
  EventColumns undated;
  for (const EventRow* row : events) (row->undated_key ? undated : dated).add(*row);

  const bool is_announced = dated.is_announced() || undated.is_announced();
  std::vector<pg::Statement> batch;
  if (!dated.empty()) batch.push_back(std::move(dated).dated());
  if (!undated.empty()) batch.push_back(std::move(undated).undated());
  const std::size_t event_statements = batch.size();
  if (!quarantined.empty()) batch.push_back(quarantine_statement(quarantined));
  if (is_announced) {
    batch.push_back({.name = "notify_deliveries", .sql = notify_deliveries});
    batch.back().with(deliveries_channel);
  }

  const std::vector<pg::ResultSet> results = co_await connection.run(batch);
  mark_new(events, std::span(results).first(event_statements));
}

}  // namespace socialsync::store
