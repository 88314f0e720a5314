#include "operate/route_trace.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::operate {
namespace {

using model::Account;
using model::Event;
using model::Platform;
using route::Refusal;

constexpr const char* no_secret =
    "no app_secret and no META_APP_SECRET: every webhook of this account is refused with 401";
constexpr const char* unreadable_secret =
    "its app_secret cannot be decrypted here, so its events are quarantined: socialsync secrets status";

struct Identifier {
  const char* name;
  std::string value;
};

std::vector<Identifier> identifiers_of(const Account& account) {
  std::vector<Identifier> all = {{"phone_number_id", account.phone_number_id},
                                 {"page_id", account.page_id},
                                 {"waba_id", account.waba_id},
                                 {"account_id", account.account_id},
                                 {"display_phone_number", account.display_phone_number}};
  for (const std::string& id : account.linked_ids) all.push_back({"linked id (webhook_metadata.ids)", id});
  std::erase_if(all, [](const Identifier& identifier) { return identifier.value.empty(); });
  return all;
}

// Returns the identifier by which an account matches an event, in the directory's order; empty for none.
std::string matched_by(const Account& account, const Event& event) {
  if (account.platform != event.platform) return {};
  const std::string& entry = event.key.entry_id;
  if (!event.key.display_phone_number.empty()) {
    const bool has_number =
        route::digits_of(account.display_phone_number) == route::digits_of(event.key.display_phone_number);
    return has_number && !account.display_phone_number.empty() ? "display_phone_number" : "";
  }
  if (account.platform == Platform::whatsapp) {
    const std::string& phone = event.key.phone_number_id.empty() ? entry : event.key.phone_number_id;
    if (account.phone_number_id == phone) return "phone_number_id";
    return event.key.phone_number_id.empty() && account.waba_id == entry ? "waba_id" : "";
  }
  if (account.page_id == entry) return "page_id";
  if (std::ranges::find(account.linked_ids, entry) != account.linked_ids.end())
    return "linked id (webhook_metadata.ids)";
  return account.account_id == entry ? "account_id" : "";
}

Event event_of(Platform platform, KeyKind kind, const std::string& key) {
  Event event;
  event.platform = platform;
  switch (kind) {
    case KeyKind::phone_number_id: event.key.phone_number_id = key; break;
    case KeyKind::display_phone_number: event.key.display_phone_number = key; break;
    default: event.key.entry_id = key;
  }
  return event;
}

std::vector<Platform> platforms_of(const RouteQuestion& question) {
  if (question.platform) return {*question.platform};
  const bool is_of_entry = question.kind == KeyKind::page_id || question.kind == KeyKind::account_id;
  if (is_of_entry) return {Platform::instagram, Platform::messenger};
  return {Platform::whatsapp};
}

// Removes the blanks, plus signs, hyphens and leading zeros with which people paste numbers.
std::string bare(std::string_view key) {
  std::string digits;
  for (const char c : key) {
    const bool is_noise =
        c == ' ' || c == '+' || c == '-' || c == '\t' || c == '\n' || (c == '0' && digits.empty());
    if (!is_noise) digits += c;
  }
  return digits;
}

std::string account_text(const Account& account) {
  return fmt::format("account {} on {}", to_string(account.id), account.platform_label);
}

std::string reason_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::unknown_account: return "no account has its key";
    case Refusal::inactive_account: return "it is inactive";
    case Refusal::secret_mismatch: return "its secret is not valid for it";
    case Refusal::ambiguous_account: return "accounts of several users have its key";
  }
  return "unknown";
}

// An event with the key that Meta sends for the account; without a key where the account has none.
Event own_event(const Account& account) {
  if (account.platform == Platform::whatsapp)
    return event_of(account.platform, KeyKind::phone_number_id, account.phone_number_id);
  return event_of(account.platform, KeyKind::page_id,
                  account.page_id.empty() ? account.account_id : account.page_id);
}

}  // namespace

std::string_view to_string(KeyKind kind) {
  constexpr std::array<std::string_view, 5> names = {"phone_number_id", "page_id", "account_id", "waba_id",
                                                     "display_phone_number"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(RouteResult result) {
  constexpr std::array<std::string_view, 4> names = {"routed", "ambiguous_account", "inactive_account",
                                                     "unknown_account"};
  return names.at(static_cast<std::size_t>(result));
}

boost::asio::awaitable<RouteDetails> details_of(pg::Connection& connection, const model::Account& account) {
  pg::Statement of_account{
      .name = "select_route_details",
      .sql = "SELECT business_name, webhook_status FROM public.social_accounts WHERE id = $1::uuid"};
  of_account.with(to_string(account.id));
  pg::Statement of_user{.name = "select_route_email",
                        .sql = "SELECT email FROM public.users WHERE id = $1::uuid"};
  of_user.with(to_string(account.user_id));
  RouteDetails details;
  const pg::ResultSet rows = co_await connection.run(of_account);
  if (rows.rows() > 0) {
    details.business_name = rows.text(0, 0);
    details.webhook_status = rows.text(0, 1);
  }
  try {
    const pg::ResultSet users = co_await connection.run(of_user);
    if (users.rows() > 0) details.email = users.text(0, 0);
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::insufficient_privilege) throw;
  }
  co_return details;
}

// The outcomes under all secrets together.
struct RouteTracer::Outcome {
  std::set<Uuid> routed_to;
  bool ambiguous = false;
  bool inactive = false;
};

RouteTracer::RouteTracer(std::vector<Account> accounts, const config::Config& settings)
    : accounts_(std::move(accounts)),
      shared_{.whatsapp = settings.whatsapp.app_secrets,
              .instagram = settings.instagram.app_secrets,
              .messenger = settings.messenger.app_secrets},
      directory_(accounts_, shared_) {}

void RouteTracer::ask(const Event& event, Outcome& outcome) const {
  const auto ask_as = [&](const route::Signers& signers) {
    std::vector<const route::Tenant*> tenants;
    const auto found = directory_.find(event, signers, tenants);
    for (const route::Tenant* tenant : tenants) outcome.routed_to.insert(tenant->account.id);
    outcome.ambiguous |= found.has_error() && found.error() == Refusal::ambiguous_account;
    outcome.inactive |= found.has_error() && found.error() == Refusal::inactive_account;
  };
  std::vector<route::SecretIndex> secrets;
  directory_.add_candidates(event, secrets);
  for (const route::SecretIndex secret : secrets) ask_as({.secrets = {&secret, 1}});
  if (secrets.empty()) ask_as({.secrets = {}, .any_account = true});
}

void RouteTracer::add_candidates(const Event& event, RouteAnswer& answer) const {
  for (const Account& account : accounts_) {
    if (std::string by = matched_by(account, event); !by.empty())
      answer.candidates.push_back({&account, std::move(by)});
  }
}

RouteAnswer RouteTracer::answer(const RouteQuestion& question) const {
  RouteAnswer answer;
  Outcome outcome;
  for (const Platform platform : platforms_of(question)) {
    const Event event = event_of(platform, question.kind, question.key);
    ask(event, outcome);
    add_candidates(event, answer);
  }
  // An event about a WABA goes to each of its accounts.
  const bool may_be_several = question.kind == KeyKind::waba_id;
  const bool is_routed =
      !outcome.ambiguous && !outcome.routed_to.empty() && (outcome.routed_to.size() == 1 || may_be_several);
  if (is_routed) {
    answer.result = RouteResult::routed;
    std::erase_if(answer.candidates, [&](const RouteCandidate& other) {
      return !outcome.routed_to.contains(other.account->id);
    });
  } else if (outcome.ambiguous || outcome.routed_to.size() > 1) {
    answer.result = RouteResult::ambiguous_account;
  } else if (outcome.inactive) {
    answer.result = RouteResult::inactive_account;
  }
  for (const RouteCandidate& candidate : answer.candidates) warn(*candidate.account, answer);
  if (answer.candidates.empty()) add_facts(question, answer);
  return answer;
}

const std::vector<std::string>& RouteTracer::effective_secrets(const Account& account) const {
  if (!account.app_secrets.empty() || account.has_unreadable_secret) return account.app_secrets;
  switch (account.platform) {
    case Platform::instagram: return shared_.instagram;
    case Platform::messenger: return shared_.messenger;
    case Platform::whatsapp: break;
  }
  return shared_.whatsapp;
}

void RouteTracer::warn(const Account& account, RouteAnswer& answer) const {
  const std::string who = to_string(account.id);
  if (!account.active)
    answer.warnings.push_back(fmt::format("{}: inactive (is_active), so its events are quarantined", who));
  if (!account.app_secrets.empty()) return;
  if (account.has_unreadable_secret) {
    answer.warnings.push_back(fmt::format("{}: {}", who, unreadable_secret));
    return;
  }
  answer.warnings.push_back(effective_secrets(account).empty()
                                ? fmt::format("{}: {}", who, no_secret)
                                : fmt::format("{}: no app_secret, META_APP_SECRET is used", who));
}

void RouteTracer::add_facts(const RouteQuestion& question, RouteAnswer& answer) const {
  const std::string wanted = bare(question.key);
  for (const Account& account : accounts_) {
    for (const Identifier& identifier : identifiers_of(account)) {
      if (identifier.value == question.key) {
        answer.warnings.push_back(
            fmt::format("{} is the {} of {}, which an event with this {} does not reach", question.key,
                        identifier.name, account_text(account), to_string(question.kind)));
      } else if (!wanted.empty() && bare(identifier.value) == wanted) {
        answer.warnings.push_back(
            fmt::format("differs only by blanks, signs or leading zeros from the {} '{}' of {}",
                        identifier.name, identifier.value, account_text(account)));
      }
    }
  }
}

std::optional<std::string> RouteTracer::fault_of(const Account& account) const {
  const Event event = own_event(account);
  if (event.key.entry_id.empty() && event.key.phone_number_id.empty())
    return account.platform == Platform::whatsapp ? "it has no phone_number_id"
                                                  : "it has no page_id or account_id";
  const std::vector<std::string>& effective = effective_secrets(account);
  if (effective.empty()) return account.has_unreadable_secret ? unreadable_secret : no_secret;
  std::vector<route::SecretIndex> secrets;
  directory_.add_candidates(event, secrets);
  for (const route::SecretIndex secret : secrets) {
    if (std::ranges::find(effective, directory_.secrets()[secret]) == effective.end()) continue;
    std::vector<const route::Tenant*> tenants;
    const auto found = directory_.find(event, {.secrets = {&secret, 1}}, tenants);
    if (!found) return reason_of(found.error());
    if (tenants.front()->account.id != account.id)
      return fmt::format("its events go to {}", account_text(tenants.front()->account));
  }
  return std::nullopt;
}

}  // namespace socialsync::operate
