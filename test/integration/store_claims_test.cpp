#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "store/claims.hpp"
#include "store/schema.hpp"
#include "support/database.hpp"

namespace socialsync::store {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr std::int64_t from_the_first = std::numeric_limits<std::int64_t>::min() + 1;
const std::string endpoint_id = "00000000-0000-4000-8000-000000000001";
const std::string other_id = "00000000-0000-4000-8000-000000000002";

// "event name", as the tests write it: its id has the name's number at the end.
std::string event_id(int number) { return fmt::format("10000000-0000-4000-8000-{:012}", number); }

struct Row {
  std::string endpoint = endpoint_id;
  std::string due_at = "now() - interval '1 s'";
  std::string conversation = "NULL";
  std::string created_at = "now()";
  int payload_bytes = 2;
};

// Its position is its number.
void insert(int number, const Row& row) {
  test::query(
      fmt::format("INSERT INTO public.webhook_logs (id, platform, webhook_type, payload) "
                  "VALUES ('{}', 'whatsapp', 'messages', to_jsonb(repeat('x', {} - 2)))",
                  event_id(number), row.payload_bytes));
  test::query(fmt::format(
      "INSERT INTO public.webhook_deliveries (event_id, endpoint_id, due_at, conversation, position, "
      "created_at) VALUES ('{}', '{}', {}, {}, {}, {})",
      event_id(number), row.endpoint, row.due_at, row.conversation, number, row.created_at));
}

asio::awaitable<Claim> claim_over_connection(std::vector<Room> rooms, ClaimTerms terms, std::int64_t first) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await plan_by_keys(*connection);
  Claim claim = co_await claim_deliveries(*connection, rooms, terms, first);
  co_return claim;
}

Claim claim(std::size_t rows, bool is_ordered = false, const ClaimTerms& terms = {},
            std::int64_t first = from_the_first) {
  return test::run(claim_over_connection(
      {{.endpoint_id = *parse_uuid(endpoint_id), .rows = rows, .is_ordered = is_ordered}}, terms, first));
}

// The numbers of the events, in order: "1 2 3 ".
std::string numbers(const Claim& claim) {
  std::vector<int> found;
  for (const Claimed& row : claim.rows) found.push_back(std::stoi(to_string(row.key.event_id).substr(24)));
  std::ranges::sort(found);
  std::string text;
  for (const int number : found) text += std::to_string(number) + " ";
  return text;
}

void clear() {
  test::clear_database();
  test::query("DELETE FROM public.webhook_deliveries");
}

TEST_CASE("claims: the oldest that are due, each once, with what is to be sent") {
  clear();
  insert(1, {.due_at = "now() - interval '1 s'"});
  insert(2, {.due_at = "now() - interval '3 s'"});
  insert(3, {.due_at = "now() - interval '2 s'"});
  insert(4, {.due_at = "now() + interval '1 h'"});
  insert(5, {.due_at = "'infinity'"});
  insert(6, {.endpoint = other_id});
  const Claim first = claim(2);
  CHECK(numbers(first) == "2 3 ");
  CHECK_FALSE(first.is_cut);
  CHECK(first.rows.front().payload == R"("")");
  CHECK(first.rows.front().type == "messages");
  CHECK(first.rows.front().platform == "whatsapp");
  REQUIRE(first.next.size() == 1);
  CHECK(first.next.front().in <= 0ms);
  const Claim second = claim(9);
  CHECK(numbers(second) == "1 ");
  CHECK(second.next.front().in > 50s);  // the lease of what was claimed
  CHECK(numbers(claim(9)).empty());
}

TEST_CASE("claims: no more bytes than allowed, but one at least") {
  clear();
  for (int number = 1; number <= 4; ++number) insert(number, {.payload_bytes = 1'500});
  const ClaimTerms terms{.bytes_max = 2'000};
  const Claim first = claim(9, false, terms);
  CHECK(first.rows.size() == 2);
  CHECK(first.is_cut);
  CHECK(first.rows.front().payload->size() == 1'500);
  const Claim alone = claim(9, false, {.bytes_max = 1});
  CHECK(alone.rows.size() == 1);
  CHECK(alone.is_cut);
  const Claim last = claim(9, false, terms);
  CHECK(last.rows.size() == 1);
  CHECK_FALSE(last.is_cut);
}

TEST_CASE("claims: an event that is gone comes without a payload") {
  clear();
  insert(1, {});
  test::query("DELETE FROM public.webhook_logs");
  const Claim found = claim(9);
  REQUIRE(found.rows.size() == 1);
  CHECK_FALSE(found.rows.front().payload);
}

TEST_CASE("claims: in order, the first of each conversation") {
  clear();
  insert(1, {.conversation = "-7"});
  insert(2, {.conversation = "-7"});
  insert(3, {.conversation = "7"});
  insert(4, {.conversation = "7"});
  CHECK(numbers(claim(9, true)) == "1 3 ");

  SUBCASE("the next waits while it is in flight") { CHECK(numbers(claim(9, true)).empty()); }
  SUBCASE("the next goes when it is gone") {
    test::query("DELETE FROM public.webhook_deliveries WHERE position = 3");
    CHECK(numbers(claim(9, true)) == "4 ");
  }
  SUBCASE("the next is claimed once it is dead-lettered") {
    test::query("UPDATE public.webhook_deliveries SET due_at = 'infinity' WHERE position = 1");
    CHECK(numbers(claim(9, true)) == "2 ");
  }
  SUBCASE("the next goes when it has failed for long enough, but not while it is on its way") {
    test::query(
        "UPDATE public.webhook_deliveries SET created_at = now() - interval '11 min' WHERE position IN (1, "
        "2)");
    CHECK(numbers(claim(9, true)).empty());
    test::query("UPDATE public.webhook_deliveries SET due_at = now() + interval '5 min' WHERE position = 1");
    CHECK(numbers(claim(9, true)) == "2 ");
  }
}

TEST_CASE("claims: in order, from one conversation on and round") {
  clear();
  for (int number = 1; number <= 4; ++number)
    insert(number, {.conversation = std::to_string(100 * number - 250)});  // -150 -50 50 150
  CHECK(numbers(claim(1, true, {}, 50)) == "3 ");
  CHECK(numbers(claim(2, true, {}, 60)) == "1 4 ");
  CHECK(numbers(claim(9, true, {}, 60)) == "2 ");
}

TEST_CASE("claims: in order, and what waits since before it was ordered") {
  clear();
  insert(1, {});
  insert(2, {});
  insert(3, {.conversation = "7"});
  CHECK(numbers(claim(9, true)) == "1 2 3 ");
}

TEST_CASE("claims: ordered endpoints and others at once") {
  clear();
  insert(1, {.conversation = "7"});
  insert(2, {.conversation = "7"});
  insert(3, {.endpoint = other_id});
  insert(4, {.endpoint = other_id});
  const Claim both = test::run(
      claim_over_connection({{.endpoint_id = *parse_uuid(endpoint_id), .rows = 9, .is_ordered = true},
                             {.endpoint_id = *parse_uuid(other_id), .rows = 9}},
                            {}, from_the_first));
  CHECK(numbers(both) == "1 3 4 ");
  CHECK(both.next.size() == 2);
}

}  // namespace
}  // namespace socialsync::store
