#include "inspection.h"

#include <numeric>
#include <utility>

namespace stator::torture {
namespace {

constexpr std::size_t kOpenMax = 64;
constexpr Duration kRepairs = seconds(2);  // what follows the answers of a round
constexpr std::uint32_t kRoundsMax = 30;
constexpr std::size_t kProblemsMax = 10;

}  // namespace

/// Questions to one node, answered in order.
class Inspection::Line final : public env::StreamAcceptor {
 public:
  using Take = std::function<void(const sim::Reply&)>;

  Line(Inspection& owner, env::Address address) : owner_(owner), address_(std::move(address)) {}

  void connect() {
    owner_.env_.network.connect_stream(address_, *this, [this](const Error& error) {
      owner_.give_up("no connection to " + env::to_string(address_) + ": " + error.detail);
    });
  }
  void ask(std::initializer_list<std::string_view> words, Take take) {
    takes_.push_back(std::move(take));
    sim::append_command(stream_ != nullptr ? stream_->output() : unsent_, words);
  }

  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override {
    stream_ = &stream;
    stream.output().append(unsent_);
    return std::make_unique<Handler>(*this);
  }

 private:
  class Handler final : public env::StreamHandler {
   public:
    explicit Handler(Line& line) : line_(line) {}
    std::size_t on_data(std::string_view bytes) override { return line_.on_data(bytes); }
    void on_closed() override {
      line_.stream_ = nullptr;
      line_.owner_.give_up(env::to_string(line_.address_) + " hung up");
    }

   private:
    Line& line_;
  };

  std::size_t on_data(std::string_view bytes) {
    std::size_t used = 0;
    sim::Reply reply;
    while (used < bytes.size() && !takes_.empty()) {
      const auto size = sim::parse_reply(bytes.substr(used), reply);
      if (!size) {
        owner_.give_up(env::to_string(address_) + " sent what is no RESP2");
        return bytes.size();
      }
      if (*size == 0) break;
      used += *size;
      const Take take = std::move(takes_.front());
      takes_.pop_front();
      take(reply);
    }
    return used;
  }

  Inspection& owner_;
  env::Address address_;
  env::Stream* stream_ = nullptr;
  std::string unsent_;
  std::deque<Take> takes_;
};

Inspection::Inspection(env::Env& env, std::vector<env::Address> nodes, std::uint32_t keys,
                       std::uint8_t n, sim::ClientHistory& history,
                       std::function<void(std::vector<std::string>)> done)
    : env_(env), keys_(keys), n_(n), history_(history), done_(std::move(done)) {
  for (env::Address& node : nodes) lines_.push_back(std::make_unique<Line>(*this, std::move(node)));
}

Inspection::~Inspection() = default;

void Inspection::start() {
  for (const auto& line : lines_) line->connect();
  std::vector<std::uint32_t> all(keys_);
  std::iota(all.begin(), all.end(), 0U);
  begin(Pass::kRead, std::move(all));
}

Inspection::Line& Inspection::line_of(std::uint32_t key) {
  return *lines_[(key + round_) % lines_.size()];
}

void Inspection::begin(Pass pass, std::vector<std::uint32_t> keys) {
  pass_ = pass;
  wanted_ = std::move(keys);
  next_ = 0;
  ++round_;
  differing_.clear();
  begin_more();
}

void Inspection::begin_more() {
  while (next_ < wanted_.size() && open_ < kOpenMax) {
    ++open_;
    const std::uint32_t key = wanted_[next_++];
    pass_ == Pass::kRead ? read(key) : compare(key);
  }
  if (open_ == 0 && next_ == wanted_.size()) finished_pass();
}

void Inspection::read(std::uint32_t key) {
  const std::string n = std::to_string(n_);
  line_of(key).ask({"ST.GET", sim::key_name(key), "R", n}, [this, key](const sim::Reply& reply) {
    answered(key, reply.is_error() ? "I15: key " + std::to_string(key) +
                                         " cannot be read from all its owners: " + reply.text
                                   : std::string());
  });
}

void Inspection::compare(std::uint32_t key) {
  const std::string n = std::to_string(n_);
  auto siblings = std::make_shared<sim::Reply>();
  Line& line = line_of(key);
  line.ask({"ST.GET", sim::key_name(key), "R", n},
           [siblings](const sim::Reply& reply) { *siblings = reply; });
  line.ask({"ST.EXPLAIN", sim::key_name(key)}, [this, key, siblings](const sim::Reply& reply) {
    answered(key, history_.take_final(key, *siblings, reply, n_));
  });
}

void Inspection::answered(std::uint32_t key, std::string problem) {
  --open_;
  if (!problem.empty()) differing_.emplace_back(key, std::move(problem));
  if (!over_) begin_more();
}

// What differed is asked again: repairs follow the answers.
void Inspection::finished_pass() {
  if (pass_ == Pass::kCompare && (differing_.empty() || round_ > kRoundsMax)) {
    for (const auto& [key, what] : differing_) problem(what);
    over_ = true;
    return done_(std::move(problems_));
  }
  std::vector<std::uint32_t> next;
  if (pass_ == Pass::kRead) {
    next = wanted_;
  } else {
    for (const auto& [key, what] : differing_) next.push_back(key);
  }
  env_.executor.after(kRepairs, [this, keys = std::move(next)]() mutable {
    if (!over_) begin(Pass::kCompare, std::move(keys));
  });
}

void Inspection::give_up(const std::string& why) {
  if (std::exchange(over_, true)) return;
  problem("I15: " + why);
  done_(std::move(problems_));
}

void Inspection::problem(const std::string& what) {
  if (problems_.size() < kProblemsMax) problems_.push_back(what);
}

}  // namespace stator::torture
