#include "migrate/verify/verify.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/migrate/verify_output.hpp"
#include "cli/migrate/verify_outside.hpp"
#include "cli/text/terminal.hpp"
#include "pg/session.hpp"

namespace socialsync::cli::migration {
namespace {

enum class Format { text, json, junit, tap };

struct Options {
  Common common;
  Format format = Format::text;
  bool no_behaviour = false;
  std::string backup;
  std::string gateway;
};

migrate::SharedSettings shared_settings() {
  const config::Config config = settings();
  migrate::SharedSettings shared;
  const auto add = [&shared](const char* product, const config::PlatformDefaults& defaults) {
    if (!defaults.app_secrets.empty()) shared.with_app_secret.emplace_back(product);
    if (!defaults.verify_token.empty()) shared.with_verify_token.emplace_back(product);
  };
  add("whatsapp", config.whatsapp);
  add("instagram", config.instagram);
  add("messenger", config.messenger);
  return shared;
}

std::vector<migrate::Finding> findings_of(const Options& options) {
  const migrate::SharedSettings settings = shared_settings();
  pg::Session session(database_of(options.common));
  ProgressLine progress;
  std::vector<migrate::Finding> findings = migrate::verify_catalogue(session, settings, progress.shower());
  const std::vector<migrate::Finding> tried =
      options.no_behaviour
          ? migrate::skipped_behaviour("--no-behaviour", "leave that out where a test may write")
          : migrate::verify_behaviour(session, progress.shower());
  findings.insert(findings.end(), tried.begin(), tried.end());
  findings.push_back(check_backup(session, options.backup));
  findings.push_back(check_gateway(options.gateway));
  std::ranges::sort(findings, {}, &migrate::Finding::id);
  return findings;
}

std::string formatted(const std::vector<migrate::Finding>& findings, Format format) {
  switch (format) {
    case Format::json: return findings_as_json(findings);
    case Format::junit: return findings_as_junit(findings);
    case Format::tap: return findings_as_tap(findings);
    case Format::text: break;
  }
  return findings_as_text(findings, terminal_width());
}

int verify(const Options& options) {
  const std::vector<migrate::Finding> findings = findings_of(options);
  const std::string text = formatted(findings, options.format);
  std::fwrite(text.data(), 1, text.size(), stdout);
  const bool failed = tally_of(findings).failed > 0;
  return static_cast<int>(failed ? Exit::verify_failed : Exit::done);
}

}  // namespace

void add_verify(Command migrate) {
  Command command =
      migrate.add_subcommand("verify", "Is the migration done, and does it keep tenants apart?");
  command.footer(
      "Changes nothing: it looks in a read-only transaction, then tries in one that is rolled back, as two "
      "tenants\n"
      "of its own (triggers of yours on users and social_accounts run there too).\n\n"
      "Examples:\n"
      "  socialsync migrate verify --gateway http://127.0.0.1:8000 --backup backups/DIR\n"
      "  socialsync migrate verify --no-behaviour --output junit >verify.xml   on a standby, with SELECT "
      "alone\n\n"
      "Exit codes: 0 nothing failed · 2 wrong usage or setting · 3 no database · 4 somebody locks the "
      "tables, run again · 6 a probe failed");
  const auto options = std::make_shared<Options>();
  add_common(command, options->common, false);
  const std::map<std::string, Format> formats{
      {"text", Format::text}, {"json", Format::json}, {"junit", Format::junit}, {"tap", Format::tap}};
  command.add_choice("--output", options->format, formats, "text (default), json, junit or tap")
      .type_name("FORMAT");
  command.add_flag("--no-behaviour", options->no_behaviour,
                   "Only look: for a standby or a role that may not write");
  command.add_option("--backup", options->backup, "The backup from before the migration, to be looked at")
      .type_name("DIR");
  command
      .add_option("--gateway", options->gateway,
                  "A gateway on this database, to be asked whether it is ready")
      .type_name("URL");
  command.runs([options] {
    if (options->format == Format::json) options->common.output = Output::json;
    return guarded(options->common, [&] { return verify(*options); });
  });
}

}  // namespace socialsync::cli::migration
