#include <ostream>
#include <string>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/version.h"

namespace stator::cli {

namespace {

// Text as roff reads it: no line begins with a control character, no backslash is lost.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool line_start = out.empty() || out.back() == '\n';
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

void print_command(const Command& command, const std::string& path, std::ostream& out) {
  if (command.run) {
    out << ".SS " << roff(usage_line(command, path)) << '\n' << roff(command.summary) << ".\n";
    if (!command.details.empty()) out << ".PP\n" << roff(command.details) << '\n';
    for (const Argument& argument : command.arguments) {
      out << ".TP\n.I " << roff(argument.name) << '\n' << roff(argument.help) << ".\n";
    }
    for (const Option& option : command.options) {
      out << ".TP\n.B " << roff(option.names);
      if (!option.value.empty()) out << " \\fI" << roff(option.value) << "\\fP";
      out << '\n' << roff(option.help) << ".\n";
    }
    if (!command.examples.empty()) {
      out << ".PP\nExamples:\n.PP\n.nf\n";
      for (const std::string& example : command.examples) out << roff("    " + example) << '\n';
      out << ".fi\n";
    }
  }
  for (const Command& below : command.commands) print_command(below, path + " " + below.name, out);
}

void print_manual(const Command& program, std::ostream& out) {
  out << ".TH STATOR 1 \"\" \"stator " << program_version() << "\"\n"
      << ".SH NAME\nstator \\- always\\-writeable, replicated key\\-value store without a leader\n"
      << ".SH SYNOPSIS\n.B stator\n.I COMMAND\n[options]\n"
      << ".SH DESCRIPTION\nA cluster of equal nodes keeps copies of each key on several of them, "
         "takes "
         "writes while any\nfew of them can be reached, and keeps what was written concurrently "
         "side by "
         "side.\n"
      << ".SH COMMANDS\n";
  print_command(program, "stator", out);
  out << ".SH ENVIRONMENT\n.TP\n.B STATOR_NODE\nHTTP address of the node that commands ask.\n"
      << ".TP\n.B NO_COLOR\nIf set, nothing is coloured.\n"
      << ".SH EXIT STATUS\n0 done, 1 the operation failed, 2 the command line or the configuration "
         "is "
         "wrong,\n3 no node could be reached.\n";
}

}  // namespace

void register_man(Command& root) {
  Command command;
  command.name = "man";
  command.summary = "Print the manual page";
  command.examples = {"stator man | man -l -", "stator man > /usr/local/share/man/man1/stator.1"};
  command.run = [](Console& console) {
    print_manual(make_program(), console.out);
    return Exit::kDone;
  };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli
