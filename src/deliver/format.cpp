#include "deliver/format.hpp"

#include <chrono>

#include <fmt/core.h>

#include "base/text.hpp"
#include "deliver/escape.hpp"

namespace socialsync::deliver {
namespace {

// "2026-11-23T00:00:00.000Z"
std::string utc(std::int64_t unix_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(unix_ms)};
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

// An id of ours begins with the event's time, as Meta gives it (ingest/event_id.cpp): every attempt says the
// same. Others' rows have only the time they came.
std::int64_t time_ms(const Event& event) {
  const auto& bytes = event.id.bytes;
  constexpr unsigned custom_version = 8;
  if (bytes[6] >> 4U != custom_version) return event.received_ms;
  std::int64_t time = 0;
  for (std::size_t i = 0; i < 6; ++i) time = time * 256 + bytes[i];
  return time;
}

std::string standard_head(const Event& event) {
  std::string head = R"({"type":)";
  append_json_string(head, event.type);
  head += fmt::format(R"(,"timestamp":"{}","data":{{"id":"{}","platform":)", utc(time_ms(event)),
                      to_string(event.id));
  append_json_string(head, event.platform);
  return head + R"(,"payload":)";
}

}  // namespace

std::string body_of(const Event& event, model::DeliveryFormat format) {
  const bool is_standard = format == model::DeliveryFormat::standard;
  const std::string head = is_standard ? standard_head(event) : std::string();
  const std::string_view tail = is_standard ? "}}" : "";
  std::string body;
  body.reserve(escaped_length(head) + escaped_length(event.payload) + tail.size());
  append_escaped(body, head);
  append_escaped(body, event.payload);
  body += tail;
  return body;
}

}  // namespace socialsync::deliver
