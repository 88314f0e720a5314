#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/accounts/draft_options.hpp"

namespace socialsync::cli::accounts {
namespace {

struct AddOptions : Options {
  std::shared_ptr<DraftOptions> draft = std::make_shared<DraftOptions>();
  std::string platform;
  bool create_user = false;
  bool is_inactive = false;
};

void print_text(const store::AccountRecord& account) {
  fmt::print("added {}\n", described(account));
  if (!account.has_app_secret)
    fmt::print("  no app_secret of its own: META_APP_SECRET must sign its webhooks\n");
  if (!account.has_verify_token)
    fmt::print("  no verify_token of its own: the environment's answers Meta's handshake\n");
  fmt::print("  next: socialsync accounts check {}\n", to_string(account.id));
}

int add(const AddOptions& options) {
  Draft& draft = options.draft->draft;
  draft.platform = platform_label(options.platform).value_or("");
  if (options.is_inactive) draft.is_active = false;
  finish_draft(*options.draft, true);
  complete(draft);
  const config::Config settings = settings_of(options.common);
  store::AccountRecord account;
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    std::set<std::string> names = {draft.user};
    Owners owners = co_await owners_of(connection, std::move(names), options.create_user);
    const auto user = owners.ids.find(draft.user);
    if (user == owners.ids.end()) throw Failure(Exit::data_blocks, no_user(draft.user));
    const std::vector<Uuid> ids = co_await store::new_ids(connection, 1);
    std::vector<store::AccountWrite> writes = {write_of(draft, ids.front(), user->second, settings.secrets)};
    co_await write(connection, std::move(owners.made), std::move(writes));
    account = co_await the_account(connection, to_string(ids.front()));
  });
  if (options.common.output == Output::text)
    print_text(account);
  else
    print_json({{"added", json_of(account)}});
  return 0;
}

}  // namespace

void add_add(Command accounts) {
  Command command = accounts.add_subcommand("add", "Add a tenant's account; gateways know it at once");
  command.footer(std::string("Secrets come from files or standard input, never from the command line.\n"
                             "Examples:\n"
                             "  socialsync accounts add whatsapp --phone-number-id 683178638221369 --user "
                             "owner@example.com --app-secret-file -\n"
                             "  socialsync accounts add instagram --page-id 17841400000000000 --user "
                             "owner@example.com --create-user --webhook-events messages,comments") +
                 exit_codes);
  const auto options = std::make_shared<AddOptions>();
  command.add_option("PLATFORM", options->platform, "whatsapp, whatsapp_business, instagram or messenger")
      .required()
      .one_of({"whatsapp", "whatsapp_business", "instagram", "messenger", "facebook"});
  command.add_option("--user", options->draft->draft.user, "Whose it is: e-mail address or id")
      .required()
      .type_name("USER");
  command.add_flag("--create-user", options->create_user, "Make the user when there is none of that address");
  add_draft_options(command, options->draft);
  command.add_flag("--inactive", options->is_inactive, "Its events go to quarantine until it is active");
  add_common(command, options->common, true);
  command.runs([options] { return guarded(options->common, [&] { return add(*options); }); });
}

}  // namespace socialsync::cli::accounts
