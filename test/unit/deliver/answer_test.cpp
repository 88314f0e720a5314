#include "deliver/answer.hpp"

#include <optional>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;

Reply reply_with(int status, std::optional<std::chrono::seconds> retry_after = std::nullopt) {
  Reply reply;
  reply.status = status;
  reply.retry_after = retry_after;
  return reply;
}

struct StatusRow {
  int status;
  Verdict verdict;
  std::string_view error;
};

constexpr StatusRow status_rows[] = {
    {200, Verdict::delivered, ""},        {204, Verdict::delivered, ""},
    {299, Verdict::delivered, ""},        {199, Verdict::retry, "http_status"},
    {300, Verdict::retry, "http_status"}, {302, Verdict::retry, "http_status"},
    {400, Verdict::retry, "http_status"}, {404, Verdict::retry, "http_status"},
    {410, Verdict::gone, "http_status"},  {429, Verdict::retry, "http_status"},
    {500, Verdict::retry, "http_status"}, {503, Verdict::retry, "http_status"},
    {999, Verdict::retry, "http_status"}, {0, Verdict::retry, "http_status"},
};

TEST_CASE("answer: the meaning of a status") {
  for (const StatusRow& row : status_rows) {
    CAPTURE(row.status);
    CHECK(verdict_of(reply_with(row.status)) == row.verdict);
    CHECK(error_of(reply_with(row.status)) == row.error);
  }
}

TEST_CASE("answer: without an answer the delivery is sent again, and the error has a name of its own") {
  for (const SendError error :
       {SendError::bad_url, SendError::name_not_found, SendError::address_refused, SendError::not_connected,
        SendError::tls_failed, SendError::timed_out, SendError::connection_lost, SendError::protocol_error}) {
    Reply reply = reply_with(200);
    reply.error = error;
    CHECK(verdict_of(reply) == Verdict::retry);
    CHECK(error_of(reply) == to_string(error));
    CHECK_FALSE(error_of(reply).empty());
  }
}

TEST_CASE("retry schedule: ten attempts in three days, then none") {
  const std::vector<std::chrono::milliseconds> delays = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
  for (std::uint32_t attempt = 1; attempt < attempts_max; ++attempt)
    CHECK(delay_after(attempt, reply_with(500), 0) == delays[attempt - 1]);
  CHECK_FALSE(delay_after(attempts_max, reply_with(500), 0));
  CHECK_FALSE(delay_after(attempts_max, reply_with(503, 1h), 0));
  CHECK_FALSE(delay_after(1000, reply_with(500), 0));
}

TEST_CASE("retry schedule: jitter adds a tenth at most") {
  CHECK(delay_after(1, reply_with(500), 0.5) == 5250ms);
  CHECK(delay_after(9, reply_with(500), 1.0) == 24h + 144min);
}

TEST_CASE("retry schedule: Retry-After extends, and never shortens") {
  CHECK(delay_after(1, reply_with(503, 60s), 0) == 60s);
  CHECK(delay_after(1, reply_with(429, 60s), 0) == 60s);
  CHECK(delay_after(2, reply_with(503, 60s), 0) == 5min);
  CHECK(delay_after(1, reply_with(503, 0s), 0) == 5s);
  CHECK(delay_after(1, reply_with(503, -1h), 0) == 5s);
  CHECK(delay_after(1, reply_with(503, 60s), 0.5) == 63s);
}

TEST_CASE("retry schedule: Retry-After has a limit, and counts with 429 and 503 only") {
  CHECK(delay_after(1, reply_with(503, 11h), 0) == 10h);
  CHECK(delay_after(1, reply_with(429, std::chrono::seconds::max()), 0) == 10h);
  CHECK(delay_after(8, reply_with(503, 11h), 0) == 20h);
  for (const int status : {0, 200, 302, 400, 500, 502})
    CHECK(delay_after(1, reply_with(status, 1h), 0) == 5s);
}

TEST_CASE("advice: every failure has one, a success none") {
  for (const SendError error :
       {SendError::bad_url, SendError::name_not_found, SendError::address_refused, SendError::not_connected,
        SendError::tls_failed, SendError::timed_out, SendError::connection_lost, SendError::protocol_error})
    CHECK_MESSAGE(!advice_on(to_string(error), 0).empty(), to_string(error));
  for (const int status : {199, 302, 400, 401, 404, 410, 429, 500, 599})
    CHECK_MESSAGE(!advice_on("http_status", status).empty(), status);
  CHECK(advice_on("", 200).empty());
  CHECK(advice_on("cancelled", 0).empty());
}

}  // namespace
}  // namespace socialsync::deliver
