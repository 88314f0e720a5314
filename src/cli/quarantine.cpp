#include <map>

#include <fmt/core.h>

#include "base/uuid.hpp"
#include "cli/commands.hpp"
#include "cli/quarantine/commands.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli {
namespace quarantine {
namespace {

// A row that the database refused has the label of its account.
const std::map<std::string, std::vector<std::string>> platforms = {
    {"whatsapp", {"whatsapp", "whatsapp_business"}},
    {"instagram", {"instagram"}},
    {"messenger", {"messenger", "facebook"}}};

std::vector<std::string> names_of_platforms() {
  std::vector<std::string> names;
  for (const auto& [name, labels] : platforms) names.push_back(name);
  return names;
}

std::string no_uuid(const std::string& text) {
  return parse_uuid(text) ? "" : "ID must be as list shows it: 00000000-0000-8000-8000-000000000000";
}

}  // namespace

void add_filter(Command command, store::QuarantineFilter& filter) {
  const std::vector<std::string> reasons(store::quarantine_reasons.begin(), store::quarantine_reasons.end());
  command.add_option("--reason", filter.reasons, "Why it is there; may be repeated")
      .one_of(reasons, false)
      .type_name("REASON");
  command
      .add_option_function(
          "--platform", [&filter](const std::string& name) { filter.platforms = platforms.at(name); },
          "whatsapp, instagram or messenger")
      .one_of(names_of_platforms(), false)
      .type_name("PLATFORM");
  command
      .add_option("--routing-key", filter.routing_keys,
                  "A phone number id, WABA id, Instagram account id or Page id; may be repeated")
      .type_name("KEY");
  command.add_option("--since", filter.since, "Arrived then or later: '2026-11-22', '2026-11-22 14:30+01'")
      .type_name("TIME");
  command.add_option("--until", filter.until, "Arrived before").type_name("TIME");
  command
      .add_option_function(
          "--id", [&filter](const std::string& id) { filter.ids.push_back(*parse_uuid(id)); },
          "One row; may be repeated")
      .check(no_uuid)
      .type_name("ID")
      .repeated();
}

void print_counts(const std::vector<store::QuarantineCount>& counts) {
  std::vector<std::vector<std::string>> rows = {{"REASON", "ROWS", "BODIES", "OLDEST", "NEWEST"}};
  for (const store::QuarantineCount& count : counts)
    rows.push_back(
        {count.reason, readable_count(count.rows), readable_bytes(count.bytes), count.oldest, count.newest});
  fmt::print("{}", aligned(rows));
}

}  // namespace quarantine

void add_quarantine(Command app) {
  Command command = app.add_subcommand("quarantine", "What was signed, but could not be logged for a tenant");
  command.require_subcommand();
  command.footer(
      "Examples:\n"
      "  socialsync quarantine list --reason secret_mismatch\n"
      "  socialsync quarantine show ID\n"
      "  socialsync quarantine reroute --dry-run\n"
      "  socialsync quarantine purge --until 2026-10-01 --yes");
  quarantine::add_list(command);
  quarantine::add_show(command);
  quarantine::add_reroute(command);
  quarantine::add_purge(command);
}

}  // namespace socialsync::cli
