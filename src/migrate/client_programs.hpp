#pragma once

#include <string>

namespace socialsync::migrate {

// The path of PostgreSQL's client program `name` (pg_dump, pg_restore) of the lowest major version that is
// not below the server's (server_version as 150018): pg_dump refuses a newer server, and one that is much
// newer writes what the server may not know. Throws Failure (refused) that names the package to install.
std::string find_client_program(const std::string& name, int server_version);

// "15.20", as the program says it.
std::string version_of_program(const std::string& path);

// The major version in what `--version` prints: 15 of "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)".
// 0 when there is none.
int major_version_in(const std::string& printed);

}  // namespace socialsync::migrate
