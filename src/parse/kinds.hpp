// The kinds of events that are known: one row each. The readers go by these tables, and docs/events.md is
// printed from them. What no row knows is an event all the same: generic_change, or a member of its name.
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

// What a row cannot say in paths.
struct Exception {
  void (*apply)(Value element, model::Event& event) = nullptr;
  std::string_view told;  // for docs/events.md
};

// An event of changes[]. Its type is the field's name unless an exception says otherwise.
struct ChangeKind {
  std::string_view field;
  std::string_view list;  // the value's list of which each element is an event; empty: the value is one
  std::string_view kind;
  Paths natural_id;  // the first that is there; an event that should have one, and has none, goes by all its
                     // bytes
  Paths apart;       // what tells apart two of one natural id; of a whole value, beside its field
  Paths customer;    // the first that is there
  Exception exception = {};
};

// An event of messaging[] or standby[]: the first row whose member it has.
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
