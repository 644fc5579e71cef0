#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/nearest.h"

namespace stator::cli {
namespace {

struct Ended {
  Exit exit;
  std::string out;
  std::string err;
};

Ended run(const Command& program, const std::vector<std::string>& arguments,
          const std::string& input = "") {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in(input);
  Console console{.out = out, .err = err, .in = in, .color = false};
  const Exit exit = run_command_line(program, arguments, console);
  return {exit, out.str(), err.str()};
}
Ended run(const std::vector<std::string>& arguments) {
  return run(make_program(), arguments);
}

/// A program with every kind of option.
struct Sample {
  bool loud = false;
  std::string word = "default";
  std::optional<std::string> maybe;
  std::uint64_t count = 7;
  double share = 0.5;
  std::vector<std::string> many;
  std::string first;
  std::optional<std::string> second;
  int runs = 0;

  Command program() {
    Command command;
    command.name = "do";
    command.summary = "Does something";
    command.options = {{"-l,--loud", "", "loudly", &loud},
                       {"--word", "W", "a word", &word, {"default", "other"}},
                       {"--maybe", "M", "perhaps", &maybe},
                       {"--count", "K", "how often", &count},
                       {"--share", "X", "how much", &share},
                       {"--many", "A", "again and again", &many}};
    command.arguments = {{"FIRST", "the first", &first}, {"SECOND", "the second", &second}};
    command.run = [this](Console&) {
      ++runs;
      return Exit::kDone;
    };
    Command root;
    root.name = "sample";
    root.summary = "A sample";
    root.commands.push_back(std::move(command));
    return root;
  }
};

TEST(CommandLine, ReadsEveryKindOfOption) {
  Sample sample;
  const Ended done =
      run(sample.program(), {"do", "a", "-l", "--word", "other", "--maybe=m", "--count", "12",
                             "--share", "0.25", "--many", "x", "--many", "y", "-"});
  EXPECT_EQ(done.exit, Exit::kDone) << done.err;
  EXPECT_EQ(sample.runs, 1);
  EXPECT_TRUE(sample.loud);
  EXPECT_EQ(sample.word, "other");
  EXPECT_EQ(sample.maybe, "m");
  EXPECT_EQ(sample.count, 12U);
  EXPECT_EQ(sample.share, 0.25);
  EXPECT_EQ(sample.many, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(sample.first, "a");
  EXPECT_EQ(sample.second, "-");
}

TEST(CommandLine, WhatIsNotGivenStaysAsItWas) {
  Sample sample;
  EXPECT_EQ(run(sample.program(), {"do", "a"}).exit, Exit::kDone);
  EXPECT_FALSE(sample.loud);
  EXPECT_EQ(sample.word, "default");
  EXPECT_FALSE(sample.maybe);
  EXPECT_EQ(sample.count, 7U);
  EXPECT_FALSE(sample.second);
}

TEST(CommandLine, NothingIsAnOptionAfterTwoDashes) {
  Sample sample;
  const Ended done = run(sample.program(), {"do", "--", "a", "-5"});
  EXPECT_EQ(done.exit, Exit::kDone) << done.err;
  EXPECT_EQ(sample.second, "-5");
}

TEST(CommandLine, MistakesNameWhatWasMeantAndRunNothing) {
  const struct {
    std::vector<std::string> arguments;
    const char* said;
  } cases[] = {
      {{"do", "a", "--lout"}, "'sample do' has no option '--lout', did you mean '--loud'?"},
      {{"do", "a", "--wrod=x"}, "'sample do' has no option '--wrod', did you mean '--word'?"},
      {{"do", "--unheard-of"}, "'sample do' has no option '--unheard-of'"},
      {{"od"}, "'sample' has no command 'od', did you mean 'do'?"},
      {{"do", "a", "b", "c"}, "'sample do' has no argument 'c'"},
      {{"do"}, "'sample do': FIRST is required"},
      {{"do", "a", "--count", "many"}, "'sample do': "},
      {{"do", "a", "--count", "-1"}, "'sample do': "},
      {{"do", "a", "--count"}, "'sample do': "},
      {{"do", "a", "--word", "third"}, "'sample do': --word: 'third' is none of: default, other"},
  };
  for (const auto& one : cases) {
    Sample sample;
    const Ended done = run(sample.program(), one.arguments);
    EXPECT_EQ(done.exit, Exit::kUsage) << one.said << one.arguments.back();
    EXPECT_NE(done.err.find(one.said), std::string::npos) << done.err;
    EXPECT_NE(done.err.find("\nnext: sample"), std::string::npos) << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 2) << done.err;
    EXPECT_EQ(sample.runs, 0) << one.said;
    EXPECT_EQ(done.out, "");
  }
}

// Design 2.1: the next command can be typed as it stands, also where no PATH leads to the program.
TEST(CommandLine, TheNextCommandCallsTheProgramAsItWasCalled) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  Console console{.out = out, .err = err, .in = in, .program = "build/release/stator"};
  EXPECT_EQ(run_command_line(make_program(), {"get", "b", "k", "--unheard-of"}, console),
            Exit::kUsage);
  EXPECT_NE(err.str().find("\nnext: build/release/stator get --help\n"), std::string::npos)
      << err.str();
  EXPECT_EQ(as_called(console, "stator"), "build/release/stator");
  EXPECT_EQ(as_called(console, "stator get stator k"), "build/release/stator get stator k");
  for (const char* other : {"", "the same again", "df -h /stator", "stators"}) {
    EXPECT_EQ(as_called(console, other), other);
  }
}

TEST(CommandLine, HelpOfEveryCommandTeachesByExample) {
  const Command program = make_program();
  const auto look = [&](const auto& self, const Command& command,
                        std::vector<std::string> path) -> void {
    if (!path.empty()) {
      std::vector<std::string> arguments = path;
      arguments.emplace_back("--help");
      const Ended help = run(arguments);
      EXPECT_EQ(help.exit, Exit::kDone);
      EXPECT_EQ(help.err, "");
      EXPECT_NE(help.out.find("usage: stator " + path.front()), std::string::npos) << help.out;
      EXPECT_NE(help.out.find("\nexamples:\n  "), std::string::npos) << path.front();
      EXPECT_TRUE(help.out.starts_with(command.summary));
      std::istringstream lines(help.out);
      for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120U) << line;
    }
    for (const Command& below : command.commands) {
      std::vector<std::string> deeper = path;
      deeper.push_back(below.name);
      self(self, below, deeper);
    }
  };
  look(look, program, {});
}

TEST(CommandLine, HelpAndVersionAreFoundByHabit) {
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  EXPECT_EQ(run({"help"}).exit, Exit::kDone);
  EXPECT_EQ(run({"help", "get"}).out, run({"get", "--help"}).out);
  EXPECT_TRUE(run({"help", "get"}).out.find("usage: stator get ") != std::string::npos);
  EXPECT_EQ(run({"help", "config", "show"}).out, run({"config", "show", "--help"}).out);
  for (const char* version : {"--version", "-v"}) {
    const Ended done = run({version});
    EXPECT_EQ(done.exit, Exit::kDone) << done.err;
    EXPECT_EQ(done.out, run({"version"}).out);
    EXPECT_TRUE(done.out.starts_with("stator ")) << done.out;
    EXPECT_NE(done.out.find(" (built with "), std::string::npos) << done.out;
  }
}

TEST(CommandLine, ThereIsNoHelpOfACommandThatDoesNotExist) {
  const std::vector<std::vector<std::string>> cases = {
      {"nosuch", "--help"}, {"--help", "nosuch"}, {"help", "nosuch"}, {"nosuch", "get", "--help"}};
  for (const auto& arguments : cases) {
    const Ended done = run(arguments);
    EXPECT_EQ(done.exit, Exit::kUsage) << arguments.front();
    EXPECT_EQ(done.out, "");
    EXPECT_NE(done.err.find("'stator' has no command 'nosuch'"), std::string::npos) << done.err;
  }
  EXPECT_NE(run({"config", "nosuch", "--help"}).err.find("'stator config' has no command 'nosuch'"),
            std::string::npos);
}

TEST(CommandLine, NoCommandAtAllShowsThemAndIsAMistake) {
  const Ended done = run({});
  EXPECT_EQ(done.exit, Exit::kUsage);
  for (const char* name :
       {"serve", "dev", "get", "put", "del", "status", "ring", "explain", "config", "version"}) {
    EXPECT_NE(done.out.find(std::string("  ") + name + " "), std::string::npos) << name;
  }
  EXPECT_EQ(run({"config"}).exit, Exit::kUsage);
}

TEST(CommandLine, AnUnreachableNodeIsThreeAndNamesTheNextStep) {
  for (const char* command : {"status", "ring"}) {
    const Ended done = run({command, "--node", "127.0.0.1:1"});
    EXPECT_EQ(done.exit, Exit::kUnreachable);
    EXPECT_NE(done.err.find("no node answers at 127.0.0.1:1"), std::string::npos) << done.err;
    // Whoever named a node has a cluster already.
    EXPECT_NE(done.err.find("\nnext: the same with --node HOST:PORT of another node"),
              std::string::npos)
        << done.err;
  }
  EXPECT_EQ(run({"put", "b", "k", "v", "--node", "127.0.0.1:1"}).exit, Exit::kUnreachable);
  const Ended portless = run({"get", "b", "k", "--node", "localhost"});
  EXPECT_EQ(portless.exit, Exit::kUsage);
  EXPECT_NE(portless.err.find("\nnext: the same with --node 127.0.0.1:7380, or 127.0.0.1:7411 "),
            std::string::npos)
      << portless.err;
  EXPECT_EQ(run({"get", "b", "k", "--r", "8"}).exit, Exit::kUsage);
  EXPECT_EQ(run({"put", "b", "k", "v", "--blind", "--context", "x"}).exit, Exit::kUsage);
  EXPECT_EQ(run({"status", "--timeout", "soon"}).exit, Exit::kUsage);
}

TEST(CommandLine, ANodeMayBeNamedByItsUrl) {
  for (const char* url : {"http://127.0.0.1:1", "http://127.0.0.1:1/"}) {
    const Ended done = run({"status", "--node", url});
    EXPECT_EQ(done.exit, Exit::kUnreachable) << done.err;
    EXPECT_NE(done.err.find("no node answers at 127.0.0.1:1 "), std::string::npos) << done.err;
  }
  EXPECT_EQ(run({"status", "--node", "http://127.0.0.1:1/v1"}).exit, Exit::kUsage);
}

TEST(CommandLine, TheManualHasEveryCommandAndOption) {
  const Ended manual = run({"man"});
  EXPECT_EQ(manual.exit, Exit::kDone);
  for (const char* text : {".TH STATOR 1", ".SS stator put BUCKET KEY [VALUE] [options]",
                           ".B \\-\\-redis\\-listen \\fIA:P\\fP", ".SH EXIT STATUS"}) {
    EXPECT_NE(manual.out.find(text), std::string::npos) << text;
  }
}

TEST(CommandLine, EveryShellHasItsCompletion) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ended done = run({"completion", shell});
    EXPECT_EQ(done.exit, Exit::kDone);
    EXPECT_NE(done.out.find("explain"), std::string::npos);
    EXPECT_NE(done.out.find("redis-listen"), std::string::npos);
  }
  EXPECT_EQ(run({"completion", "tcsh"}).exit, Exit::kUsage);
}

TEST(Nearest, FindsWhatWasMeantOrNothing) {
  const std::vector<std::string> names = {"serve", "status", "explain", "--redis-listen"};
  EXPECT_EQ(nearest("srve", names), "serve");
  EXPECT_EQ(nearest("sevre", names), "serve");
  EXPECT_EQ(nearest("stauts", names), "status");
  EXPECT_EQ(nearest("expl", names), "explain");
  EXPECT_EQ(nearest("--redis-lisen", names), "--redis-listen");
  EXPECT_EQ(nearest("cluster", names), "");
}

}  // namespace
}  // namespace stator::cli
