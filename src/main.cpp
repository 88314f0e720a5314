#include "cli/app/commands.hpp"

int main(int argument_count, char** arguments) { return socialsync::cli::run(argument_count, arguments); }
