// `socialsync migrate verify`.
#include "migrate/verify/verify.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/http_client.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "pg/session.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::Finding;
using migrate::State;
using Findings = std::vector<Finding>;

struct VerifyOptions {
  bool no_behaviour = false;
  std::string backup;
  std::string gateway;
};

migrate::SharedSettings shared_settings(const config::Config& config) {
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

std::string text_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

// Throws std::exception when the file is missing or not a JSON object.
json::object read_manifest(const std::string& directory) {
  std::ifstream file(directory + "/manifest.json");
  if (!file) throw std::runtime_error("manifest.json not found, or not readable");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json::value value = json::parse(text);
  if (!value.is_object()) throw std::runtime_error("manifest.json is not a JSON object");
  return value.as_object();
}

// Returns the description of a good backup. Throws std::exception for any other.
std::string described(const json::object& manifest, const pg::ResultSet& database) {
  const std::string name = text_of(manifest, "database");
  if (name != database.text(0, 0) || text_of(manifest, "database_oid") != database.text(0, 1))
    throw std::runtime_error(fmt::format("it is a backup of another database, {}", name));
  if (text_of(manifest, "verified") != "restored")
    throw std::runtime_error("it was not restored and compared");
  return fmt::format("made {}, restored and compared", text_of(manifest, "started_at"));
}

Finding check_backup(pg::Session& session, const std::string& directory) {
  Finding finding{
      .id = "V24", .title = "backup before the migration", .state = State::skip, .found = {}, .todo = {}};
  if (directory.empty()) {
    finding.found = "not requested: a backup is not in the database";
    finding.todo = "give --backup DIR, a backup made by socialsync migrate backup";
    return finding;
  }
  const pg::ResultSet database = session.query(
      "SELECT datname, oid::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()");
  try {
    finding.found = described(read_manifest(directory), database);
    finding.state = State::pass;
  } catch (const std::exception& error) {
    finding.found = fmt::format("{}: {}", directory, error.what());
    finding.state = State::fail;
    finding.todo = "run socialsync migrate backup before any other change";
  }
  return finding;
}

Finding check_gateway(const std::string& url) {
  constexpr long http_ok = 200;
  Finding finding{.id = "V25", .title = "gateway is ready", .state = State::skip, .found = {}, .todo = {}};
  if (url.empty()) {
    finding.found = "not requested";
    finding.todo = "give --gateway http://HOST:PORT of a gateway on this database";
    return finding;
  }
  try {
    const long status = HttpClient(url + "/readyz").get();
    finding.state = status == http_ok ? State::pass : State::fail;
    finding.found = fmt::format("{}/readyz answers {}", url, status);
  } catch (const std::runtime_error& error) {
    finding.state = State::fail;
    finding.found = fmt::format("{}: {}", url, error.what());
  }
  if (finding.state == State::fail) finding.todo = "start socialsync serve, and read its log";
  return finding;
}

Findings findings_of(const VerifyOptions& options, const Common& common) {
  const migrate::SharedSettings shared = shared_settings(settings());
  pg::Session session(database_of(common));
  ProgressLine progress;
  Findings findings = migrate::verify_catalogue(session, shared, progress.shower());
  const Findings tried = options.no_behaviour
                             ? migrate::skipped_behaviour("--no-behaviour", "omit it where a test may write")
                             : migrate::verify_behaviour(session, progress.shower());
  findings.insert(findings.end(), tried.begin(), tried.end());
  findings.push_back(check_backup(session, options.backup));
  findings.push_back(check_gateway(options.gateway));
  std::ranges::sort(findings, {}, &Finding::id);
  return findings;
}

constexpr std::size_t indent = 11;  // columns of "PASS  V01  "

Colour colour_of(State state) {
  switch (state) {
    case State::pass: return Colour::green;
    case State::fail: return Colour::red;
    case State::skip: return Colour::yellow;
  }
  return Colour::plain;
}

// Each line of the text behind the mark, indented and wrapped.
std::string paragraph(std::string_view text, std::string_view mark, std::size_t width) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line = std::string(indent, ' ') + std::string(mark) + std::string(text.substr(0, end));
    out += wrapped(line, indent, width) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::size_t count(const Findings& findings, State state) {
  return static_cast<std::size_t>(std::ranges::count(findings, state, &Finding::state));
}

void print_findings(const Findings& findings) {
  const std::size_t width = terminal_width();
  for (const Finding& finding : findings) {
    fmt::print("{}  {}  ", coloured(colour_of(finding.state), to_string(finding.state)), finding.id);
    fmt::print("{}", paragraph(finding.title + ": " + finding.found, "", width).substr(indent));
    fmt::print("{}", paragraph(finding.todo, "→ ", width));
  }
  fmt::print("{} passed, {} failed, {} skipped\n", count(findings, State::pass), count(findings, State::fail),
             count(findings, State::skip));
}

void print_findings_document(const Findings& findings) {
  print_json({{"probes", array_of(findings,
                                  [](const Finding& finding) {
                                    return json::object{{"id", finding.id},
                                                        {"title", finding.title},
                                                        {"state", std::string(to_string(finding.state))},
                                                        {"found", finding.found},
                                                        {"todo", or_null(finding.todo)}};
                                  })},
              {"passed", count(findings, State::pass)},
              {"failed", count(findings, State::fail)},
              {"skipped", count(findings, State::skip)}});
}

Exit verify(const VerifyOptions& options, const Common& common) {
  const Findings findings = findings_of(options, common);
  common.wants_json() ? print_findings_document(findings) : print_findings(findings);
  return count(findings, State::fail) > 0 ? Exit::verify_failed : Exit::done;
}

}  // namespace

void add_verify(Command migrate) {
  Command command =
      migrate.add_subcommand("verify", "Check that the migration is complete and isolates tenants");
  command.help(
      {.notes =
           "Changes nothing: it reads in a read-only transaction, then tries the policies as two tenants of "
           "its "
           "own in a transaction that is rolled back (your triggers on users and social_accounts run in it).",
       .examples = {"socialsync migrate verify --gateway http://127.0.0.1:8000 --backup backups/DIR",
                    "socialsync migrate verify --no-behaviour --output json"},
       .exits = {{Exit::done, "no probe failed"}, {Exit::verify_failed, "a probe failed"}}});
  const auto options = std::make_shared<VerifyOptions>();
  command.add_flag("--no-behaviour", options->no_behaviour,
                   "Read only: for a standby, or a role that may not write");
  command.add_option("--backup", options->backup, "Check this backup from before the migration too")
      .type_name("DIR");
  command.add_option("--gateway", options->gateway, "Check that the gateway at this URL is ready too")
      .type_name("URL");
  with_common(command, options, verify, migration_session);
}

}  // namespace socialsync::cli::migration
