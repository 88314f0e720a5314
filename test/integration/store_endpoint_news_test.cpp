#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "store/endpoints.hpp"
#include "support/database.hpp"

namespace socialsync::store {
namespace {

namespace asio = boost::asio;

const std::string endpoint_id = "00000000-0000-4000-8000-000000000003";

asio::awaitable<void> record(EndpointNews news) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await record_endpoint_news(*connection, std::span(&news, 1));
}

EndpointNews failing(bool was_well) {
  return {.endpoint_id = *parse_uuid(endpoint_id),
          .is_failing = true,
          .disabled_because = {},
          .was_well = was_well};
}

std::string failing_for_days() {
  return test::query(
             "SELECT (now() - failing_since > interval '1 day')::text FROM public.webhook_endpoints WHERE id "
             "= '" +
             endpoint_id + "'")
      .at(0);
}

TEST_CASE("endpoint news: failing goes on, or begins anew after a success") {
  test::clear_database();
  test::query("DELETE FROM public.webhook_endpoints");
  test::query("INSERT INTO public.webhook_endpoints (id, place, url, failing_since) VALUES ('" + endpoint_id +
              "', 1, 'https://example.com/', now() - interval '4 days')");
  test::run(record(failing(false)));
  CHECK(failing_for_days() == "true");
  test::run(record(failing(true)));
  CHECK(failing_for_days() == "false");
}

}  // namespace
}  // namespace socialsync::store
