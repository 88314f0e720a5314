#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/events/commands.hpp"
#include "cli/exit_code.hpp"
#include "model/event.hpp"
#include "parse/kinds.hpp"

namespace socialsync::cli {
namespace {

// A row of docs/events.md.
struct Row {
  std::string where;       // the field and its list, or the member
  std::string type;        // webhook_type
  std::string message_id;  // external_message_id
  std::string told_apart;  // what else makes it this event
  std::string customer;    // customer_identifier
  std::string_view remark;
};

struct Chapter {
  std::string_view name;
  std::vector<Row> rows;
};

std::string words(const parse::Paths& paths, std::string_view separator) {
  std::string text;
  for (const std::string_view path : paths) {
    if (path.empty()) break;
    if (!text.empty()) text += separator;
    text += path == "." ? "all its bytes" : path == "@time" ? "entry time" : path;
  }
  return text;
}

Row row_of(const parse::ChangeKind& kind) {
  const bool is_whole = kind.list.empty();
  return {.where = is_whole ? std::string(kind.field) : fmt::format("{}: {}[]", kind.field, kind.list),
          .type = kind.kind == "status" ? "message_deliveries" : std::string(kind.field),
          .message_id = words(kind.natural_id, ", else "),
          .told_apart = words(kind.apart, ", "),
          .customer = words(kind.customer, ", else "),
          .remark = kind.exception.told};
}

Row row_of(const parse::MessagingKind& kind) {
  const bool is_same = kind.instagram_type == kind.messenger_type;
  return {.where = std::string(kind.member),
          .type = is_same ? std::string(kind.messenger_type)
                          : fmt::format("{} (Instagram), {} (Messenger)", kind.instagram_type,
                                        kind.messenger_type),
          .message_id = words(kind.natural_id, ", else "),
          .told_apart = words(kind.apart, ", "),
          .customer = "sender.id, else optin.user_ref",
          .remark = kind.exception.told};
}

Row row_of(const model::OwnEvent& event) {
  return {.where = std::string(event.type),
          .type = std::string(event.type),
          .message_id = "endpoint_id",
          .told_apart = {},
          .customer = {},
          .remark = event.told};
}

template <typename Kind>
Chapter chapter(std::string_view name, std::span<const Kind> kinds) {
  Chapter made{.name = name, .rows = {}};
  for (const Kind& kind : kinds) made.rows.push_back(row_of(kind));
  return made;
}

std::array<Chapter, 5> chapters() {
  return {
      chapter("WhatsApp", parse::whatsapp_kinds()),
      chapter("Conversations of Instagram and Messenger (messaging[], standby[])", parse::messaging_kinds()),
      chapter("Changes of an Instagram account", parse::instagram_kinds()),
      chapter("Changes of a Page", parse::messenger_kinds()),
      chapter("SocialSync's own, for the operator's endpoints",
              std::span<const model::OwnEvent>(model::own_events))};
}

void print_markdown() {
  for (const Chapter& part : chapters()) {
    fmt::print(
        "\n## {}\n\n| where | `webhook_type` | `external_message_id` | deduplicated by | "
        "`customer_identifier` "
        "| |\n"
        "|---|---|---|---|---|---|\n",
        part.name);
    for (const Row& row : part.rows)
      fmt::print("| {} | {} | {} | {} | {} | {} |\n", row.where, row.type, row.message_id, row.told_apart,
                 row.customer, row.remark);
  }
}

void print_text() {
  for (const Chapter& part : chapters()) {
    fmt::print("{}\n", part.name);
    for (const Row& row : part.rows) fmt::print("  {:<44} {}\n", row.where, row.type);
  }
}

void print_json() {
  boost::json::array all;
  for (const Chapter& part : chapters()) {
    for (const Row& row : part.rows)
      all.push_back({{"platform", part.name},
                     {"where", row.where},
                     {"webhook_type", row.type},
                     {"external_message_id", row.message_id},
                     {"told_apart_by", row.told_apart},
                     {"customer_identifier", row.customer},
                     {"remark", row.remark}});
  }
  fmt::print("{}\n", boost::json::serialize(boost::json::object{{"v", 1}, {"kinds", all}}));
}

int print_kinds(const std::string& output) {
  if (output == "json") print_json();
  if (output == "markdown") print_markdown();
  if (output == "text") print_text();
  return ExitCode::done;
}

}  // namespace

void add_events(Command app) {
  Command command = app.add_subcommand("events", "The events of the webhooks");
  command.require_subcommand();
  events::add_next(command);
  Command kinds =
      command.add_subcommand("kinds", "The kinds of events that are known, and how each is told apart");
  kinds.footer(
      "What is not listed is logged under Meta's own field name.\n"
      "Example:  socialsync events kinds --output json");
  const auto output = std::make_shared<std::string>("text");
  kinds.add_option("--output", *output, "text, json or markdown")
      .one_of({"text", "json", "markdown"})
      .type_name("FORMAT");
  kinds.runs([output] { return print_kinds(*output); });
}

}  // namespace socialsync::cli
