#include "deliver/compose.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace socialsync;
using namespace socialsync::deliver;

TEST_CASE("compose: the body in the endpoint's format, signed, with its own headers last") {
  Event event;
  event.type = "messages";
  event.payload = R"({"object":"page"})";
  model::Endpoint endpoint;
  endpoint.url = "https://bot.example/";
  endpoint.app_secret = "key";
  endpoint.headers = {{"X-Key", "k"}};
  const auto signer = Signer::of(endpoint);
  REQUIRE(signer.has_value());
  const Request request = request_of(event, endpoint, *signer, 1'760'000'000);
  CHECK(request.url == endpoint.url);
  CHECK(!request.is_get);
  CHECK(request.body == event.payload);
  CHECK(request.headers.back() == std::pair<std::string, std::string>("X-Key", "k"));
  const auto has = [&request](std::string_view name) {
    return std::ranges::any_of(request.headers, [&](const auto& header) { return header.first == name; });
  };
  CHECK(has("webhook-id"));
  CHECK(has("X-Hub-Signature-256"));
  CHECK(has("content-type"));
}
