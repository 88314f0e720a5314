// test/golden holds a body of each kind, and beside it the rows that it is to become: NAME.json, NAME.rows.
// With SOCIALSYNC_WRITE_GOLDEN set the rows are written anew; read what changed.
#include "unit/parse/golden.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "unit/parse/support.hpp"

using namespace socialsync;
using namespace socialsync::parse;
using namespace socialsync::parse::test;

namespace {

// One member to a line; what is empty is left out.
void append(std::string& rows, std::string_view name, std::string_view value) {
  if (!value.empty()) rows += fmt::format("  {:<22} {}\n", name, value);
}

std::string rows_of(const Event& event) {
  std::string rows = "event\n";
  append(rows, "webhook_type", event.type);
  append(rows, "external_message_id", event.natural_id);
  append(rows, "customer_identifier", event.customer);
  append(rows, "time", event.time_ms ? std::to_string(*event.time_ms) : "");
  append(rows, "kind", event.kind);
  const bool is_bytes = event.discriminator.find('\n') != std::string::npos;
  append(rows, "told apart by",
         is_bytes ? fmt::format("{} bytes", event.discriminator.size()) : event.discriminator);
  append(rows, "entry id", event.key.entry_id);
  append(rows, "phone_number_id", event.key.phone_number_id);
  append(rows, "display_phone_number", event.key.display_phone_number);
  append(rows, "waba_id", event.key.waba_id);
  append(rows, "business_id", event.key.business_id);
  append(rows, "app level", event.key.is_app_level ? "yes" : "");
  return rows;
}

std::string rows_of(const std::string& body) {
  const Webhook webhook = webhook_of(body);
  std::string rows;
  for (const Event& event : webhook.events) rows += rows_of(event);
  for (const model::Unreadable& part : webhook.unreadable) rows += "unreadable\n  " + part.bytes + "\n";
  return rows;
}

}  // namespace

TEST_CASE("each body becomes the rows beside it") {
  const std::vector<GoldenBody> bodies = golden_bodies();
  for (const auto& [path, body] : bodies) {
    CAPTURE(path);
    const std::string rows = rows_of(body);
    const std::filesystem::path expected = std::filesystem::path(path).replace_extension(".rows");
    if (std::getenv("SOCIALSYNC_WRITE_GOLDEN") != nullptr) std::ofstream(expected) << rows;
    CHECK(rows == content_of(expected));
  }
  CHECK(bodies.size() > 100);
}
