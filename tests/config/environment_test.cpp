#include "config/environment.hpp"

#include <doctest/doctest.h>

using namespace ci::config;

namespace {
/// What the text says; a complaint fails the test.
Environment read(const std::string& text) {
  std::vector<Complaint> complaints;
  const auto result = parse_env_file(text, ".env", complaints);
  CHECK_MESSAGE(complaints.empty(), to_string(complaints));
  return result;
}
std::string complaints_of(const std::string& text) {
  std::vector<Complaint> complaints;
  parse_env_file(text, ".env", complaints);
  return to_string(complaints);
}
} // namespace

TEST_CASE("lines are variables, blanks around names and values do not count") {
  CHECK(read("A=1\n  B = two words  \n\tC=\t3\nD=\n") ==
        Environment{{"A", "1"}, {"B", "two words"}, {"C", "3"}, {"D", ""}});
}

TEST_CASE("empty lines, comments and the word export are allowed") {
  CHECK(read("\n# A=0\n  # B=0\nexport A=1 # one\nexport\tB=2\nexported=3\n") ==
        Environment{{"A", "1"}, {"B", "2"}, {"exported", "3"}});
}

TEST_CASE("a hash inside a bare value belongs to it, one after a blank does not") {
  CHECK(read("A=a#b\nB=a #b\nC=#b\nD='a #b'\n") ==
        Environment{{"A", "a#b"}, {"B", "a"}, {"C", ""}, {"D", "a #b"}});
}

TEST_CASE("single quotes keep every byte, double quotes know escapes") {
  CHECK(read(R"(A='$x \n "y"' # c)") == Environment{{"A", R"($x \n "y")"}});
  CHECK(read(R"(A="a \"b\" \\ \$c \n\t" # c)") == Environment{{"A", "a \"b\" \\ $c \n\t"}});
  CHECK(read("A=\"\"\nB=''\n") == Environment{{"A", ""}, {"B", ""}});
}

TEST_CASE("nothing is expanded") {
  CHECK(read("A=$HOME\nB=\"${A}\"\n") == Environment{{"A", "$HOME"}, {"B", "${A}"}});
}

TEST_CASE("lines may end as on Windows, the last one need not end, and a byte order mark is skipped") {
  CHECK(read("\xef\xbb\xbf"
             "A=1\r\nB='2'\r\nC=3") == Environment{{"A", "1"}, {"B", "2"}, {"C", "3"}});
  CHECK(read("").empty());
}

TEST_CASE("a later line wins") { CHECK(read("A=1\nA=2\n") == Environment{{"A", "2"}}); }

TEST_CASE("lines that can't be read are complained of with their number, all of them, without the value") {
  CHECK(complaints_of("A=1\nhunter2\n1A=hunter2\n=hunter2\nA B=hunter2\n") ==
        ".env:2: expected KEY=value\n.env:3: expected KEY=value\n.env:4: expected KEY=value\n"
        ".env:5: expected KEY=value\n");
  CHECK(complaints_of("A='hunter2\n") == ".env:1: A: expected a closing ' on the same line\n");
  CHECK(complaints_of("A=\"hunter2\n") == ".env:1: A: expected a closing \" on the same line\n");
  CHECK(complaints_of("A='a'hunter2\n") == ".env:1: A: expected nothing but a comment after the closing '\n");
  CHECK(complaints_of("A=\"a\"hunter2\n") ==
        ".env:1: A: expected nothing but a comment after the closing \"\n");
  CHECK(complaints_of("A=\"hunter2\\x\"\n").substr(0, 26) == ".env:1: A: expected after ");
  CHECK(complaints_of("A=\"hunter2\\").substr(0, 26) == ".env:1: A: expected after ");
}

TEST_CASE("lines around a wrong one are still read") {
  std::vector<Complaint> complaints;
  CHECK(parse_env_file("A=1\nwrong\nB=2\n", ".env", complaints) == Environment{{"A", "1"}, {"B", "2"}});
}

TEST_CASE("the process's own variables win over the file's") {
  CHECK(merge({{"A", "1"}, {"B", ""}}, {{"A", "2"}, {"B", "3"}, {"C", "4"}}) ==
        Environment{{"A", "1"}, {"B", ""}, {"C", "4"}});
}

TEST_CASE("the process's variables are read as they come") {
  const char* const entries[] = {"A=1", "B=x=y", "odd", "C=", "A=2", nullptr};
  CHECK(process_environment(entries) == Environment{{"A", "1"}, {"B", "x=y"}, {"C", ""}});
  CHECK(process_environment(nullptr).empty());
}
