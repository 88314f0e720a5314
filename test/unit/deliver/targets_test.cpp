#include "deliver/targets.hpp"

#include <algorithm>
#include <array>

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

TEST_CASE("targets: one that fails, or cannot be signed for, is failing") {
  const log::Captured captured;
  Targets targets;
  store::EndpointState failing = state_of('2');
  failing.failing_since_ms = 1'795'478'400'000;
  targets.replace({state_of('1'), failing, state_of('3', false)});
  CHECK(targets.health().ok == 1);
  CHECK(targets.health().failing == 2);
  targets.succeeded(id_of('2'));
  CHECK(targets.health().ok == 2);
  CHECK(targets.health().failing == 1);
}

TEST_CASE("targets: overdue is what is sent to somebody") {
  using namespace std::chrono_literals;
  const log::Captured captured;
  Targets targets;
  targets.replace({state_of('1'), state_of('2', false)});
  const store::Due pulled{id_of('9'), -90s}, later{id_of('1'), 60s}, due{id_of('1'), -30s},
      due_longer{id_of('2'), -40s};
  CHECK(targets.overdue({}) == 0s);
  CHECK(targets.overdue(std::array{pulled, later}) == 0s);
  CHECK(targets.overdue(std::array{pulled, due, later}) == 30s);
  CHECK(targets.overdue(std::array{due, due_longer}) == 40s);
}

}  // namespace
}  // namespace socialsync::deliver
