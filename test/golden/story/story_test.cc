// Stories of clusters as text: what is done to a cluster of real nodes in the simulated world, and
// what comes of it. A line that begins with "> " is a command; the lines below it, up to an empty
// line or the next command, are what it prints; everything before the first command is prose.
// README.md says which commands there are. A story that prints something else fails; with
// STATOR_REWRITE=1 it is written anew, to be read before it is committed.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "cluster.h"
#include "node/metrics.h"

namespace stator::test {
namespace {

using Words = std::vector<std::string>;

std::string joined(std::vector<std::string> values) {
  if (values.empty()) return "nothing\n";
  std::sort(values.begin(), values.end());
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return text + "\n";
}

class Story {
 public:
  /// Carries one command out and returns what it prints, whole lines.
  std::string run(const std::string& line) {
    words_.clear();
    options_.clear();
    std::istringstream in(line);
    for (std::string word; in >> word;) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        words_.push_back(word);
      } else {
        options_[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
    if (words_.empty()) return "what?\n";
    if (words_[0] == "cluster") return found();
    const auto command = kCommands.find(words_[0]);
    if (command == kCommands.end() || cluster_ == nullptr) return "no such command\n";
    return words_.size() < command->second.words ? "too few words\n"
                                                 : (this->*command->second.run)();
  }

 private:
  struct Command {
    std::size_t words;
    std::string (Story::*run)();
  };
  static const std::map<std::string, Command> kCommands;

  [[nodiscard]] std::uint8_t number(const std::string& name, int otherwise) const {
    const auto found = options_.find(name);
    return static_cast<std::uint8_t>(found == options_.end() ? otherwise
                                                             : std::stoi(found->second));
  }
  /// "n2" -> 1.
  [[nodiscard]] static unsigned index(const std::string& node) {
    return static_cast<unsigned>(std::stoul(node.substr(1))) - 1;
  }
  [[nodiscard]] unsigned node() const { return index(words_[1]); }
  [[nodiscard]] const Context* seen() {
    const auto name = options_.find("saw");
    return name == options_.end() ? nullptr : &contexts_.at(name->second);
  }
  void remember(const Context& context) {
    if (const auto name = options_.find("as"); name != options_.end()) {
      contexts_[name->second] = context;
    }
  }

  std::string found() {
    const bool hints = number("hints", 1) != 0;
    cluster_ =
        std::make_unique<Cluster>(1, std::stoul(words_.at(1)), number("n", 3), number("r", 2),
                                  number("w", 2), 64, [hints](node::NodeOptions& options) {
                                    if (!hints) options.hint_bytes_max = 0;
                                  });
    return {};
  }
  std::string write(const std::string& value, node::WriteKind kind, bool tombstone) {
    const WriteAnswer answer = cluster_->write(node(), words_[2], value, seen(), kind,
                                               {.w = number("w", 0)}, {}, tombstone);
    if (answer.outcome == Outcome::kOk) {
      remember(answer.context);
      return "ok\n";
    }
    return std::string(to_string(answer.outcome)) + ": " + to_string(answer.error.code) + "\n";
  }
  std::string put() { return write(words_[3], node::WriteKind::kWithContext, false); }
  std::string set() { return write(words_[3], node::WriteKind::kOverAll, false); }
  std::string del() {
    const bool blind = seen() == nullptr;
    return write("", blind ? node::WriteKind::kOverAll : node::WriteKind::kWithContext, true);
  }
  std::string get() {
    const ReadAnswer answer = cluster_->read(node(), words_[2], {.r = number("r", 0)});
    if (!answer.ok) return std::string("failed: ") + to_string(answer.error.code) + "\n";
    remember(answer.context);
    return joined(answer.values);
  }
  std::string holds() {
    Object object;
    const std::string bytes = cluster_->local_object(node(), words_[2]);
    std::vector<std::string> values;
    if (!bytes.empty() && !decode_object(bytes, object)) return "a damaged object\n";
    for (const Version& version : object.versions) {
      values.push_back(version.tombstone ? std::string("(deleted)") : std::string(version.value));
    }
    return joined(values);
  }
  std::string owners() {
    std::string text;
    for (const unsigned owner : cluster_->owners(words_[1])) {
      text += (text.empty() ? "n" : ", n") + std::to_string(owner + 1);
    }
    return text + "\n";
  }
  std::string hints() {
    cluster_->run(seconds(1));
    return std::to_string(cluster_->count(node(), &node::Metrics::hints_pending)) + "\n";
  }
  std::string isolate() {
    cluster_->set_isolated(node(), true);
    return {};
  }
  std::string heal() {
    cluster_->world().wire().heal();
    return {};
  }
  std::string kill() {
    cluster_->host(node()).kill();
    return {};
  }
  std::string crash() {
    cluster_->host(node()).crash();
    return {};
  }
  std::string start() {
    cluster_->start(node());
    return {};
  }
  std::string wait() {
    cluster_->run(milliseconds(std::stol(words_[1])));
    return {};
  }

  Words words_;
  std::map<std::string, std::string> options_;
  std::map<std::string, Context> contexts_;
  std::unique_ptr<Cluster> cluster_;
};

const std::map<std::string, Story::Command> Story::kCommands = {
    {"put", {4, &Story::put}},         {"set", {4, &Story::set}},
    {"delete", {3, &Story::del}},      {"get", {3, &Story::get}},
    {"holds", {3, &Story::holds}},     {"owners", {2, &Story::owners}},
    {"isolate", {2, &Story::isolate}}, {"heal", {1, &Story::heal}},
    {"kill", {2, &Story::kill}},       {"crash", {2, &Story::crash}},
    {"start", {2, &Story::start}},     {"wait", {2, &Story::wait}},
    {"hints", {2, &Story::hints}},
};

/// The story as it is told now: prose and commands as they stand, output as it comes.
std::string told(const std::string& text) {
  Story story;
  std::istringstream in(text);
  std::string out;
  bool output = false;  // the line is what a command printed when the story was written
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("> ")) {
      out += line + "\n" + story.run(line.substr(2));
      output = true;
    } else if (line.empty() || !output) {
      out += line + "\n";
      output = false;
    }
  }
  return out;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Stories, AreTrue) {
  const bool rewrite = std::getenv("STATOR_REWRITE") != nullptr;
  unsigned stories = 0;
  for (const auto& file : std::filesystem::directory_iterator(STATOR_STORIES)) {
    if (file.path().extension() != ".story") continue;
    ++stories;
    SCOPED_TRACE(file.path().filename().string());
    const std::string written = read_file(file.path());
    const std::string now = told(written);
    EXPECT_NE(written.find("> get"), std::string::npos) << "a story that asks nothing";
    EXPECT_EQ(written, now);
    if (rewrite) std::ofstream(file.path()) << now;
  }
  EXPECT_GE(stories, 5U);
}

}  // namespace
}  // namespace stator::test
