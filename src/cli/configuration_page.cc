#include "cli/configuration_page.h"

#include <ostream>
#include <string>

#include "cli/settings.h"

namespace stator::cli {

namespace {

std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text + ".";
}

// As a value stands in a file.
std::string toml(const Setting& setting, const std::string& shown) {
  const bool bare = std::holds_alternative<Count>(setting.field) ||
                    std::holds_alternative<Number>(setting.field) ||
                    std::holds_alternative<Switch>(setting.field);
  return bare ? shown : "\"" + shown + "\"";
}

}  // namespace

void print_configuration_page(std::ostream& out) {
  const Settings defaults;
  out << "# Configuration of a node\n\n"
         "<!-- Made by `stator config show -o markdown`; a test compares. -->\n\n"
         "What concerns one node: a flag of `stator serve`, or a line of the TOML file that\n"
         "`stator serve --config FILE` reads. The flag of `data_dir` is `--data-dir`, and so on. A "
         "flag\n"
         "wins over the file, the file over the default. `stator config check FILE` says whether a "
         "file\n"
         "is right, `stator config show --config FILE` what it amounts to, and\n"
         "`stator config show -o toml` prints a file to start from.\n\n"
         "What concerns a cluster - its id, the number of partitions Q, of copies N, the quorums R "
         "and\n"
         "W - is fixed when it is founded: `stator serve --help`, under `--found`.\n\n"
         "Times are a number and `ms`, `s`, `m` or `h`; sizes are bytes, or a number and `KiB`, "
         "`MiB` or\n"
         "`GiB`.\n";
  for (const Setting& setting : settings_table()) {
    const std::string value = show(defaults, setting);
    const std::string range = range_of(setting);
    out << "\n## " << setting.key << "\n\n" << sentence(setting.what) << "\n\n| | |\n|---|---|\n";
    out << "| flag | `" << setting.flag();
    if (*setting.value != '\0') out << ' ' << setting.value;
    out << "` |\n| default | " << (value.empty() ? "empty" : "`" + value + "`") << " |\n";
    if (*setting.unit != '\0') out << "| unit | " << setting.unit << " |\n";
    if (!range.empty()) out << "| valid | " << range << " |\n";
    out << "| can change at run time | " << (setting.run_time ? "yes" : "no") << " |\n"
        << "| why | " << setting.reason << " |\n";
  }
}

void print_configuration_template(std::ostream& out) {
  const Settings defaults;
  out << "# Settings of one node for `stator serve --config FILE`. Every line is the default.\n";
  for (const Setting& setting : settings_table()) {
    const std::string range = range_of(setting);
    out << "\n# " << sentence(setting.what) << '\n';
    if (!range.empty()) out << "# Valid: " << range << '\n';
    out << "# " << setting.key << " = " << toml(setting, show(defaults, setting)) << '\n';
  }
}

}  // namespace stator::cli
