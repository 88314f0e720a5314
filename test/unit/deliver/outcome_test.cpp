#include "deliver/outcome.hpp"

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

Reply answer(int status) {
  Reply reply;
  reply.status = status;
  return reply;
}

struct Row {
  int status;
  Verdict verdict;
  std::string_view error;
};

constexpr Row rows[] = {
    {200, Verdict::delivered, ""},        {204, Verdict::delivered, ""},
    {299, Verdict::delivered, ""},        {199, Verdict::retry, "http_status"},
    {300, Verdict::retry, "http_status"}, {302, Verdict::retry, "http_status"},
    {400, Verdict::retry, "http_status"}, {404, Verdict::retry, "http_status"},
    {410, Verdict::gone, "http_status"},  {429, Verdict::retry, "http_status"},
    {500, Verdict::retry, "http_status"}, {503, Verdict::retry, "http_status"},
    {999, Verdict::retry, "http_status"}, {0, Verdict::retry, "http_status"},
};

TEST_CASE("outcome: what a status means") {
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CHECK(verdict_of(answer(row.status)) == row.verdict);
    CHECK(error_of(answer(row.status)) == row.error);
  }
}

TEST_CASE("outcome: without an answer it is tried again, and the error has a name of its own") {
  for (const SendError error :
       {SendError::bad_url, SendError::name_not_found, SendError::address_refused, SendError::not_connected,
        SendError::tls_failed, SendError::timed_out, SendError::connection_lost, SendError::protocol_error}) {
    Reply reply = answer(200);
    reply.error = error;
    CHECK(verdict_of(reply) == Verdict::retry);
    CHECK(error_of(reply) == to_string(error));
    CHECK_FALSE(error_of(reply).empty());
  }
}

}  // namespace
}  // namespace socialsync::deliver
