#include "deliver/endpoints.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;
using enum FailingMark;

constexpr std::chrono::system_clock::time_point failing_since{1000h};

FailingMark after(std::chrono::minutes time, FailingMark marked) {
  return failing_mark(failing_since, failing_since + time, marked);
}

TEST_CASE("failing: marks at 50, 70, 90 and 100 % of five days") {
  CHECK(after(0h, none) == none);
  CHECK(after(60h - 1min, none) == none);
  CHECK(after(60h, none) == half);
  CHECK(after(84h - 1min, none) == half);
  CHECK(after(84h, half) == most);
  CHECK(after(108h - 1min, most) == none);
  CHECK(after(108h, most) == nearly_all);
  CHECK(after(120h - 1min, nearly_all) == none);
  CHECK(after(120h, nearly_all) == all);
}

TEST_CASE("failing: each mark is reported once") {
  CHECK(after(61h, half) == none);
  CHECK(after(107h, most) == none);
  CHECK(after(119h, nearly_all) == none);
  CHECK(after(500h, all) == none);
}

TEST_CASE("failing: the highest of several passed marks") {
  CHECK(after(110h, none) == nearly_all);
  CHECK(after(110h, half) == nearly_all);
  CHECK(after(500h, none) == all);
}

TEST_CASE("failing: a clock set back reports nothing") {
  CHECK(after(-500h, none) == none);
  CHECK(after(61h, nearly_all) == none);
}

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

TEST_CASE("endpoints: one that cannot be signed for is reported once, until it can be signed for again") {
  Endpoints endpoints;
  const auto warned = [&](std::vector<store::EndpointState> states) {
    std::string ids;
    for (const auto& one : endpoints.replace(std::move(states)).unsignable)
      ids += to_string(one.endpoint_id).back();
    return ids;
  };
  CHECK(warned({state_of('1', false), state_of('2')}) == "1");
  for (int reload = 0; reload < 2; ++reload) CHECK(warned({state_of('1', false), state_of('2')}).empty());
  CHECK(!endpoints.find(id_of('1')));
  CHECK(endpoints.find(id_of('2')));
  CHECK(warned({state_of('1', false), state_of('2', false)}) == "2");
  CHECK(warned({state_of('1'), state_of('2', false)}) == "");
  CHECK(warned({state_of('1', false), state_of('2', false)}) == "1");
}

TEST_CASE("endpoints: one that fails, or cannot be signed for, is failing") {
  Endpoints endpoints;
  store::EndpointState failing = state_of('2');
  failing.failing_since_ms = 1'795'478'400'000;
  endpoints.replace({state_of('1'), failing, state_of('3', false)});
  CHECK(endpoints.health().ok == 1);
  CHECK(endpoints.health().failing == 2);
  endpoints.succeeded(id_of('2'));
  CHECK(endpoints.health().ok == 2);
  CHECK(endpoints.health().failing == 1);
}

TEST_CASE("endpoints: only rows of endpoints with a URL are overdue") {
  Endpoints endpoints;
  endpoints.replace({state_of('1'), state_of('2', false)});
  const store::Due pulled{id_of('9'), -90s}, later{id_of('1'), 60s}, due{id_of('1'), -30s},
      due_longer{id_of('2'), -40s};
  CHECK(endpoints.overdue({}) == 0s);
  CHECK(endpoints.overdue(std::array{pulled, later}) == 0s);
  CHECK(endpoints.overdue(std::array{pulled, due, later}) == 30s);
  CHECK(endpoints.overdue(std::array{due, due_longer}) == 40s);
}

store::EndpointState endpoint(std::uint8_t number, const std::string& url, bool is_failing = false) {
  store::EndpointState state{.endpoint = {}, .failing_since_ms = {}};
  state.endpoint.id.bytes[15] = number;
  state.endpoint.url = url;
  if (is_failing) state.failing_since_ms = 1;
  return state;
}

// The numbers of those that were repaired.
std::string repaired(Endpoints& loaded, const std::vector<store::EndpointState>& endpoints) {
  std::string numbers;
  for (const Uuid& id : loaded.replace(endpoints).repaired) numbers += std::to_string(id.bytes[15]);
  return numbers;
}

TEST_CASE("endpoints: repaired means another URL, or no longer failing") {
  Endpoints loaded;
  CHECK(repaired(loaded, {endpoint(1, "a"), endpoint(2, "b", true), endpoint(3, "c")}).empty());
  CHECK(repaired(loaded, {endpoint(1, "a"), endpoint(2, "b", true), endpoint(3, "c", true)}).empty());
  CHECK(repaired(loaded, {endpoint(1, "new"), endpoint(2, "b"), endpoint(3, "new", true)}) == "123");
  CHECK(repaired(loaded, {endpoint(1, "new"), endpoint(2, "b"), endpoint(3, "new", true)}).empty());
}

TEST_CASE("endpoints: an endpoint that was disabled in between is not repaired") {
  Endpoints loaded;
  CHECK(repaired(loaded, {endpoint(1, "a", true)}).empty());
  CHECK(repaired(loaded, {}).empty());
  CHECK(repaired(loaded, {endpoint(1, "new")}).empty());
}

}  // namespace
}  // namespace socialsync::deliver
