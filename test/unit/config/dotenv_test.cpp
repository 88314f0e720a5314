#include "config/dotenv.hpp"

#include <doctest/doctest.h>

namespace socialsync::config {
namespace {

using Settings = std::map<std::string, std::string>;

TEST_CASE("dotenv: bare values") {
  CHECK(parse_dotenv("A=1\nB = two words \n\tC\t=\t3\t\nD=") ==
        Settings{{"A", "1"}, {"B", "two words"}, {"C", "3"}, {"D", ""}});
  CHECK(parse_dotenv("A=b=c") == Settings{{"A", "b=c"}});
  CHECK(parse_dotenv("A=postgres://u:p@h/d?x=1&y=2") == Settings{{"A", "postgres://u:p@h/d?x=1&y=2"}});
}

TEST_CASE("dotenv: comments start at a # after a blank") {
  CHECK(parse_dotenv("# A=1\n  # B=2\nC=3 # four\nD=#5\nE=a#b\nF=\t#") ==
        Settings{{"C", "3"}, {"D", ""}, {"E", "a#b"}, {"F", ""}});
  CHECK(parse_dotenv("A=1\t# tab") == Settings{{"A", "1"}});
}

TEST_CASE("dotenv: single quotes keep everything") {
  CHECK(parse_dotenv(R"(A='a "b" \n # c ' # d)") == Settings{{"A", R"(a "b" \n # c )"}});
  CHECK(parse_dotenv("A=''") == Settings{{"A", ""}});
  CHECK(parse_dotenv("A='open") == Settings{{"A", "open"}});
  CHECK(parse_dotenv("A='") == Settings{{"A", ""}});
}

TEST_CASE("dotenv: double quotes know \\n, \\\" and \\\\") {
  CHECK(parse_dotenv(R"(A="one\ntwo" # three)") == Settings{{"A", "one\ntwo"}});
  CHECK(parse_dotenv(R"(A="say \"a\\b\" # c")") == Settings{{"A", R"(say "a\b" # c)"}});
  CHECK(parse_dotenv(R"(A="")") == Settings{{"A", ""}});
  CHECK(parse_dotenv(R"(A="open)") == Settings{{"A", "open"}});
  CHECK(parse_dotenv(R"(A="open\)") == Settings{{"A", R"(open\)"}});
}

TEST_CASE("dotenv: in double quotes, a backslash before anything else stands for itself") {
  CHECK(parse_dotenv(R"(A="p\w\'d\t")") == Settings{{"A", R"(p\w\'d\t)"}});
}

TEST_CASE("dotenv: export, and line ends of Windows") {
  CHECK(parse_dotenv("export A=1\nexport   B=2\nexported=3") ==
        Settings{{"A", "1"}, {"B", "2"}, {"exported", "3"}});
  CHECK(parse_dotenv("A=1\r\nB=\"2\"\r\n\r\nC='3'\r\n") == Settings{{"A", "1"}, {"B", "2"}, {"C", "3"}});
  CHECK(parse_dotenv("\xef\xbb\xbf"
                     "A=1\r\nB=2") == Settings{{"A", "1"}, {"B", "2"}});
}

TEST_CASE("dotenv: the last of several counts") { CHECK(parse_dotenv("A=1\nA=2") == Settings{{"A", "2"}}); }

TEST_CASE("dotenv: other lines are skipped") {
  CHECK(parse_dotenv("").empty());
  CHECK(parse_dotenv("\n\n \t \r\n").empty());
  CHECK(parse_dotenv("A\n=1\n = \nA B=1\nA-B=1\nÄ=1\n<<<<<<< HEAD\nexport\nexport =1").empty());
  CHECK(parse_dotenv("A-B=1\nC=2") == Settings{{"C", "2"}});
}

}  // namespace
}  // namespace socialsync::config
