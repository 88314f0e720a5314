// A CSV file of accounts: all of its lines are written, or none.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "operate/account_draft.hpp"
#include "pg/connection.hpp"

namespace socialsync::operate {

struct ImportLine {
  std::uint64_t number = 0;
  AccountDraft draft;
};

struct BadImportLine {
  std::uint64_t number = 0;
  std::string problem;  // never holds the value of a secret
};

struct AccountImport {
  std::vector<ImportLine> lines;
  std::vector<BadImportLine> bad;
};

// Reads a draft from each line. Invalid lines, and lines for an account that an earlier line names, are bad.
// `user` owns accounts whose line names no user. Throws Failure (wrong_usage) for an unusable header.
AccountImport read_accounts_csv(std::istream& csv, const std::string& user);

struct ImportOptions {
  bool creates_users = false;  // for unknown e-mail addresses
  bool updates = false;        // existing accounts are changed; otherwise their lines are bad
  bool is_preview = false;
};

struct Imported {
  std::size_t added = 0;
  std::size_t changed = 0;
  std::vector<BadImportLine> bad;  // where any is bad, no account was written
};

// Compares the file with the existing accounts and writes it in one transaction. Throws Failure (data_blocks)
// for values that the database refuses, and pg::Error.
boost::asio::awaitable<Imported> import_accounts(pg::Connection& connection, const AccountImport& file,
                                                 const ImportOptions& options,
                                                 const config::SecretsAtRest& at_rest);

}  // namespace socialsync::operate
