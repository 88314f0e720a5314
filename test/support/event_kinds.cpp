// Prints the tables of docs/events.md, from those that the parser reads events by:
//
//   build/release/event_kinds
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "model/event.hpp"
#include "parse/kinds.hpp"

namespace {

using namespace socialsync;

// A row of docs/events.md.
struct Row {
  std::string where;       // the field and its list, or the member
  std::string type;        // webhook_type
  std::string message_id;  // external_message_id
  std::string identity;    // further values that identify an event
  std::string customer;    // customer_identifier
  std::string_view remark;
};

struct Chapter {
  std::string_view name;
  std::vector<Row> rows;
};

std::string joined(const parse::Paths& paths, std::string_view separator) {
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
          .message_id = joined(kind.natural_id, ", else "),
          .identity = joined(kind.apart, ", "),
          .customer = joined(kind.customer, ", else "),
          .remark = kind.exception.told};
}

Row row_of(const parse::MessagingKind& kind) {
  const bool is_same = kind.instagram_type == kind.messenger_type;
  return {.where = std::string(kind.member),
          .type = is_same ? std::string(kind.messenger_type)
                          : fmt::format("{} (Instagram), {} (Messenger)", kind.instagram_type,
                                        kind.messenger_type),
          .message_id = joined(kind.natural_id, ", else "),
          .identity = joined(kind.apart, ", "),
          .customer = "sender.id, else optin.user_ref",
          .remark = kind.exception.told};
}

Row row_of(const model::OwnEvent& event) {
  return {.where = std::string(event.type),
          .type = std::string(event.type),
          .message_id = "endpoint_id",
          .identity = {},
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

void print_tables() {
  for (const Chapter& part : chapters()) {
    fmt::print(
        "\n## {}\n\n| where | `webhook_type` | `external_message_id` | deduplicated by | "
        "`customer_identifier` "
        "| |\n"
        "|---|---|---|---|---|---|\n",
        part.name);
    for (const Row& row : part.rows)
      fmt::print("| {} | {} | {} | {} | {} | {} |\n", row.where, row.type, row.message_id, row.identity,
                 row.customer, row.remark);
  }
}

}  // namespace

int main() { print_tables(); }
