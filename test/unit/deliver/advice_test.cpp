#include "deliver/advice.hpp"

#include <doctest/doctest.h>

using namespace socialsync::deliver;

TEST_CASE("advice: there is some for every way to fail, and none for a success") {
  for (const SendError error :
       {SendError::bad_url, SendError::name_not_found, SendError::address_refused, SendError::not_connected,
        SendError::tls_failed, SendError::timed_out, SendError::connection_lost, SendError::protocol_error})
    CHECK_MESSAGE(!advice_on(to_string(error), 0).empty(), to_string(error));
  for (const int status : {199, 302, 400, 401, 404, 410, 429, 500, 599})
    CHECK_MESSAGE(!advice_on("http_status", status).empty(), status);
  CHECK(advice_on("", 200).empty());
  CHECK(advice_on("cancelled", 0).empty());
}
