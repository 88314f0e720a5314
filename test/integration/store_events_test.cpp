#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "store/events.hpp"
#include "support/database.hpp"

namespace socialsync::store {
namespace {

using Values = std::vector<std::string>;

constexpr const char* count_events = "SELECT count(*) FROM public.webhook_logs";
constexpr const char* count_quarantined = "SELECT count(*) FROM public.webhook_quarantine";

// An id of this very moment, so that it has a weekly partition; `number` tells ids apart.
Uuid numbered(std::uint8_t number) {
  static const Uuid now = *parse_uuid(test::query("SELECT socialsync.first_log_id(now())").front());
  Uuid id = now;
  id.bytes[6] = 0x80;
  id.bytes[8] = 0x80;
  id.bytes[15] = number;
  return id;
}

EventRow message(const test::AccountIds& account, const Uuid& id) {
  EventRow row;
  row.id = id;
  row.account_id = account.id;
  row.user_id = account.user_id;
  row.platform = "whatsapp_business";
  row.type = "messages";
  row.status = "received";
  row.payload = R"({"object":"whatsapp_business_account"})";
  return row;
}

test::AccountIds new_account() {
  test::clear_database();
  return test::insert_account("whatsapp_business", {{"phone_number_id", "'111'"}});
}

boost::asio::awaitable<void> write_all(std::vector<EventRow*> events,
                                       std::vector<const QuarantineRow*> quarantined) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await write_batch(*connection, events, quarantined);
}

void write(std::vector<EventRow*> events, std::vector<const QuarantineRow*> quarantined = {}) {
  test::run(write_all(std::move(events), std::move(quarantined)));
}

TEST_CASE("store: an event has every column") {
  const test::AccountIds account = new_account();
  EventRow row = message(account, numbered(1));
  row.status = "ignored";
  row.external_message_id = "wamid.é";
  row.customer = "33765540003";
  write({&row});
  CHECK(row.is_new);
  CHECK(test::query(
            "SELECT concat_ws('|', id, social_account_id, user_id, platform, webhook_type, status, payload, "
            "exact_payload IS NULL, external_message_id, customer_identifier, "
            "created_at > now() - interval '1 minute') FROM public.webhook_logs") ==
        Values{to_string(row.id) + "|" + to_string(account.id) + "|" + to_string(account.user_id) +
               R"(|whatsapp_business|messages|ignored|{"object": "whatsapp_business_account"}|t|wamid.é|)"
               "33765540003|t"});
}

TEST_CASE("store: empty identifiers are null") {
  EventRow row = message(new_account(), numbered(1));
  write({&row});
  CHECK(test::query(
            "SELECT external_message_id IS NULL AND customer_identifier IS NULL FROM public.webhook_logs") ==
        Values{"t"});
}

TEST_CASE("store: identifiers are cut to what their columns hold, on whole characters") {
  EventRow row = message(new_account(), numbered(1));
  const std::string ascii(300, 'a');
  std::string wide;
  for (int i = 0; i < 256; ++i) wide += "😀";
  row.external_message_id = ascii;
  row.customer = wide;
  write({&row});
  CHECK(test::query("SELECT external_message_id FROM public.webhook_logs") == Values{ascii.substr(0, 255)});
  CHECK(test::query("SELECT customer_identifier FROM public.webhook_logs") ==
        Values{wide.substr(0, 255 * 4)});
}

TEST_CASE("store: exact bytes are kept beside the repaired payload") {
  EventRow row = message(new_account(), numbered(1));
  const std::string exact("{\"a\":\"\\u0000\xff\0\"}", 15);
  row.exact_payload = exact;
  write({&row});
  std::string hex;
  append_hex(hex, {reinterpret_cast<const std::uint8_t*>(exact.data()), exact.size()});
  CHECK(test::query("SELECT encode(exact_payload, 'hex') FROM public.webhook_logs") == Values{hex});
}

TEST_CASE("store: the time in the id chooses the partition") {
  const test::AccountIds account = new_account();
  EventRow now = message(account, numbered(1));
  EventRow odd = message(account, Uuid());
  write({&odd, &now});
  CHECK(test::query(
            "SELECT tableoid::regclass::text LIKE 'socialsync.webhook_logs_p20%' FROM public.webhook_logs "
            "ORDER BY id DESC") == Values{"t", "f"});
  CHECK(test::query("SELECT count(*) FROM socialsync.webhook_logs_default") == Values{"1"});
}

TEST_CASE("store: a duplicate leaves the stored event unchanged") {
  const test::AccountIds account = new_account();
  EventRow first = message(account, numbered(1));
  write({&first});
  EventRow again = message(account, numbered(1));
  again.payload = R"({"another":1})";
  again.is_new = true;
  EventRow other = message(account, numbered(2));
  write({&again, &other});
  CHECK_FALSE(again.is_new);
  CHECK(other.is_new);
  CHECK(test::query("SELECT payload FROM public.webhook_logs WHERE id = '" + to_string(first.id) + "'") ==
        Values{R"({"object": "whatsapp_business_account"})"});
  CHECK(test::query(count_events) == Values{"2"});
}

TEST_CASE("store: an event that a batch holds twice is new once") {
  const test::AccountIds account = new_account();
  EventRow first = message(account, numbered(1));
  EventRow second = message(account, numbered(1));
  EventRow other = message(account, numbered(2));
  write({&first, &second, &other});
  CHECK(first.is_new);
  CHECK_FALSE(second.is_new);
  CHECK(other.is_new);
  CHECK(test::query(count_events) == Values{"2"});
}

EventRow undated(const test::AccountIds& account, std::uint8_t id, std::uint8_t key) {
  EventRow row = message(account, numbered(id));
  row.undated_key = Uuid();
  row.undated_key->bytes[15] = key;
  return row;
}

TEST_CASE("store: an undated event is known by its key, whatever its id") {
  const test::AccountIds account = new_account();
  EventRow first = undated(account, 1, 7);
  write({&first});
  EventRow later = undated(account, 2, 7);
  EventRow other = undated(account, 3, 8);
  write({&later, &other});
  CHECK(first.is_new);
  CHECK_FALSE(later.is_new);
  CHECK(other.is_new);
  CHECK(test::query("SELECT id FROM public.webhook_logs ORDER BY id") ==
        Values{to_string(first.id), to_string(other.id)});
  CHECK(test::query("SELECT count(*) FROM socialsync.webhook_event_keys") == Values{"2"});
}

TEST_CASE("store: so it is within one batch, with one id or with two") {
  const test::AccountIds account = new_account();
  EventRow first = undated(account, 1, 7);
  EventRow same_id = undated(account, 1, 7);
  EventRow other_id = undated(account, 2, 7);
  EventRow dated = message(account, numbered(3));
  write({&first, &same_id, &other_id, &dated});
  CHECK(first.is_new);
  CHECK_FALSE(same_id.is_new);
  CHECK_FALSE(other_id.is_new);
  CHECK(dated.is_new);
  CHECK(test::query(count_events) == Values{"2"});
}

QuarantineRow unreadable(std::uint8_t number, std::string_view body) {
  QuarantineRow row;
  row.id.bytes[15] = number;
  row.reason = "unreadable";
  row.body = body;
  return row;
}

TEST_CASE("store: a quarantined body has every column") {
  test::clear_database();
  QuarantineRow row = unreadable(1, std::string_view("\0\xff{", 3));
  row.platform = "whatsapp";
  row.routing_key = "111";
  row.type = "messages";
  row.detail = "a detail";
  row.signed_by = "458b45812b68b3c7";
  row.event_time_ms = 1'760'000'000'123;
  write({}, {&row});
  CHECK(
      test::query("SELECT concat_ws('|', id, reason, platform, routing_key, webhook_type, detail, signed_by, "
                  "encode(body, 'hex'), extract(epoch FROM event_time)) FROM public.webhook_quarantine") ==
      Values{
          "00000000-0000-0000-0000-000000000001|unreadable|whatsapp|111|messages|a detail|458b45812b68b3c7|"
          "00ff7b|1760000000.123000"});
}

TEST_CASE("store: quarantine keeps a body once, and nulls for what is not known") {
  test::clear_database();
  const QuarantineRow row = unreadable(1, "");
  write({}, {&row, &row});
  write({}, {&row});
  CHECK(
      test::query("SELECT concat_ws('|', platform, routing_key, webhook_type, detail, signed_by, event_time) "
                  "FROM public.webhook_quarantine") == Values{""});
}

TEST_CASE("store: events and quarantine go in together or not at all") {
  const test::AccountIds account = new_account();
  EventRow good = message(account, numbered(1));
  EventRow orphan = message({.id = Uuid(), .user_id = account.user_id}, numbered(2));
  const QuarantineRow kept = unreadable(1, "x");
  std::string sqlstate;
  try {
    write({&good, &orphan}, {&kept});
  } catch (const pg::Error& error) {
    sqlstate = error.sqlstate();
    CHECK(error.kind() == pg::ErrorKind::data);
  }
  CHECK(sqlstate == "23503");
  CHECK(test::query(count_events) == Values{"0"});
  CHECK(test::query(count_quarantined) == Values{"0"});
  write({&good}, {&kept});
  CHECK(test::query(count_events) == Values{"1"});
  CHECK(test::query(count_quarantined) == Values{"1"});
}

TEST_CASE("store: an empty batch is no work") { CHECK_NOTHROW(write({})); }

}  // namespace
}  // namespace socialsync::store
