#include "deliver/targets.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "unit/base/captured.hpp"

namespace socialsync::deliver {
namespace {

Uuid id_of(char digit) {
  std::string text = "00000000-0000-4000-8000-000000000000";
  text.back() = digit;
  return *parse_uuid(text);
}

store::EndpointState state_of(char digit, bool is_readable = true) {
  store::EndpointState state{.endpoint = {}, .failing_since_ms = {}, .is_readable = is_readable};
  state.endpoint.id = id_of(digit);
  state.endpoint.url = "https://bot.example/";
  state.endpoint.app_secret = "0123456789abcdef0123456789abcdef";
  state.endpoint.signing_secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  return state;
}

std::ptrdiff_t warnings(const log::Captured& captured) { return std::ranges::count(captured.text(), '\n'); }

TEST_CASE("targets: one that cannot be signed for is warned of once, until it can be") {
  const log::Captured captured;
  Targets targets;
  for (int reload = 0; reload < 3; ++reload) targets.replace({state_of('1', false), state_of('2')});
  CHECK(warnings(captured) == 1);
  CHECK(captured.text().find(to_string(id_of('1'))) != std::string::npos);
  CHECK(!targets.find(id_of('1')));
  CHECK(targets.find(id_of('2')));
  targets.replace({state_of('1', false), state_of('2', false)});
  CHECK(warnings(captured) == 2);
  targets.replace({state_of('1'), state_of('2', false)});
  CHECK(warnings(captured) == 2);
  targets.replace({state_of('1', false), state_of('2', false)});
  CHECK(warnings(captured) == 3);
}

}  // namespace
}  // namespace socialsync::deliver
