// The tables of known kinds of events, one row each. The readers follow these tables, and docs/events.md is
// generated from them. An event without a row is read as generic_change(), or named after its member.
//
// Sources: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference,
// https://developers.facebook.com/docs/instagram-platform/webhooks,
// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
#pragma once

#include <span>
#include <string_view>

#include "model/event.hpp"
#include "parse/identity.hpp"
#include "parse/json.hpp"

namespace socialsync::parse {

// A rule of a row that paths cannot express.
struct Exception {
  void (*apply)(Value element, model::Event& event) = nullptr;
  std::string_view told;  // for docs/events.md
};

// An event of changes[]. Its type is the field's name unless an exception says otherwise.
struct ChangeKind {
  std::string_view field;
  std::string_view list;  // the list in the value whose elements are events; empty: the value is one event
  std::string_view kind;
  Paths natural_id;  // the first with text; an event without one is identified by all its bytes
  Paths apart;     // the values that tell two events with one natural id apart; for a whole value, beside its
                   // field
  Paths customer;  // the first with text
  Exception exception = {};
};

// An event of messaging[] or standby[]: read by the first row whose member it has.
struct MessagingKind {
  std::string_view member;
  std::string_view kind;
  std::string_view instagram_type;
  std::string_view messenger_type;
  Paths natural_id;
  Paths apart;
  Exception exception = {};
};

std::span<const ChangeKind> whatsapp_kinds();
std::span<const ChangeKind> instagram_kinds();
std::span<const ChangeKind> messenger_kinds();
std::span<const MessagingKind> messaging_kinds();

// For the fields without a row.
const ChangeKind& generic_change();

}  // namespace socialsync::parse
