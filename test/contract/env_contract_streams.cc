#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "contract/env_contract.h"

namespace stator::env::contract {

namespace {

using testing::HasSubstr;

// One end of a connection, as a test sees it. Outlives the connection's handler.
struct End {
  Stream* stream = nullptr;  // while open
  std::string received;
  int closed = 0;
  int drained = 0;
  int input_ends = 0;
  bool says_more = false;  // after the end of the input
  std::string error;
  std::function<std::size_t(std::string_view)> on_data;  // instead of keeping all in `received`
  std::function<void()> on_drained;
};

class Handler final : public StreamHandler {
 public:
  explicit Handler(End& end) : end_(end) {}
  std::size_t on_data(std::string_view bytes) override {
    EXPECT_EQ(end_.closed, 0);
    if (end_.on_data) return end_.on_data(bytes);
    end_.received.append(bytes);
    return bytes.size();
  }
  void on_drained() override {
    ++end_.drained;
    if (end_.on_drained) end_.on_drained();
  }
  bool on_end_of_input() override {
    EXPECT_NE(end_.stream, nullptr);
    ++end_.input_ends;
    return end_.says_more;
  }
  void on_closed() override {
    ++end_.closed;
    end_.stream = nullptr;
  }

 private:
  End& end_;
};

class Acceptor final : public StreamAcceptor {
 public:
  explicit Acceptor(End& end) : end_(end) {}
  std::unique_ptr<StreamHandler> on_accept(Stream& stream) override {
    ++accepted;
    if (refuse) return nullptr;
    end_.stream = &stream;
    return std::make_unique<Handler>(end_);
  }
  int accepted = 0;
  bool refuse = false;

 private:
  End& end_;
};

// A server on `there` and a client of it on `here`, connected.
struct Pair {
  Pair(World& w) : world(w) {}
  [[nodiscard]] bool connect() {
    auto bound = world.there().network.listen_streams(world.there_address(), server_acceptor);
    if (!bound) return false;
    listener = std::move(*bound);
    address = listener->address();
    dial();
    return world.run_until([this] { return server.stream != nullptr && client.stream != nullptr; },
                           seconds(60));
  }
  void dial() {
    world.here().network.connect_stream(address, client_acceptor,
                                        [this](const Error& e) { client.error = e.detail + "!"; });
  }
  [[nodiscard]] bool both_closed() const { return server.closed == 1 && client.closed == 1; }

  World& world;
  End server;
  End client;
  Acceptor server_acceptor{server};
  Acceptor client_acceptor{client};
  std::unique_ptr<Listener> listener;
  Address address;
};

char pattern(std::uint64_t place) {
  return static_cast<char>(place * 31 + place / 251 + place / 65'537);
}

}  // namespace

TEST_P(EnvContract, StreamCarriesBytesBothWays) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  here().executor.post([&] { pair.client.stream->output().append("question"); });
  ASSERT_TRUE(run_until([&] { return pair.server.received == "question"; }));
  there().executor.post([&] { pair.server.stream->output().append("answer"); });
  ASSERT_TRUE(run_until([&] { return pair.client.received == "answer"; }));
  EXPECT_EQ(pair.server.stream->remote().host, world().here_address().host);
  EXPECT_EQ(pair.client.stream->remote(), pair.listener->address());
}

TEST_P(EnvContract, WhatIsNotConsumedComesAgainWithMoreBehindIt) {
  Pair pair(world());
  // Consumes whole lines only, as a parser does, and answers each.
  std::string expected_rest;
  pair.server.on_data = [&](std::string_view bytes) {
    EXPECT_TRUE(bytes.starts_with(expected_rest));
    EXPECT_GT(bytes.size(), expected_rest.size());
    std::size_t used = 0;
    for (std::size_t end = 0; (end = bytes.find('\n', used)) != std::string_view::npos;
         used = end + 1) {
      pair.server.stream->output().append("<").append(bytes.substr(used, end - used)).append(">");
    }
    expected_rest = bytes.substr(used);
    return used;
  };
  ASSERT_TRUE(pair.connect());
  std::string sent;
  std::string expected;
  for (const std::size_t size : {0UL, 1UL, 5UL, 300UL, 20'000UL, 1UL, 70'000UL, 400'000UL, 3UL}) {
    sent.append(size, static_cast<char>('a' + size % 26)).append("\n");
    expected.append("<").append(size, static_cast<char>('a' + size % 26)).append(">");
  }
  const std::size_t pieces[] = {1, 2, 3, 7, 1, 1000, 15'000, 1, 33'000, 50'000};
  struct Sender {
    Pair& pair;
    std::string_view left;
    const std::size_t* pieces;
    std::size_t turn = 0;
    void run() {
      const std::size_t size = std::min(left.size(), pieces[turn++ % 10]);
      pair.client.stream->output().append(left.substr(0, size));
      left.remove_prefix(size);
      if (!left.empty()) pair.world.here().executor.after(microseconds(200), [this] { run(); });
    }
  } sender{pair, sent, pieces};
  here().executor.post([&] { sender.run(); });
  ASSERT_TRUE(run_until([&] { return pair.client.received.size() >= expected.size(); }));
  EXPECT_TRUE(pair.client.received == expected);
}

TEST_P(EnvContract, SixtyFourMebibytesArriveThroughBackPressure) {
  constexpr std::uint64_t kTotal = 64UL * 1024 * 1024;
  constexpr std::size_t kChunk = 128 * 1024;
  constexpr std::size_t kHighWater = 1024 * 1024;
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  std::uint64_t made = 0;
  std::size_t unsent_max = 0;
  const auto fill = [&] {
    Stream& stream = *pair.server.stream;
    while (made < kTotal && stream.unsent() < kHighWater) {
      std::string& out = stream.output();
      for (std::size_t i = 0; i < kChunk; ++i) out.push_back(pattern(made++));
    }
    unsent_max = std::max(unsent_max, stream.unsent());
  };
  pair.server.on_drained = fill;
  std::uint64_t taken = 0;
  bool right = true;
  int pauses = 0;
  pair.client.on_data = [&](std::string_view bytes) {
    for (const char c : bytes) right &= c == pattern(taken++);
    // A slow reader, now and then.
    if (taken / (8UL * 1024 * 1024) > static_cast<std::uint64_t>(pauses)) {
      ++pauses;
      pair.client.stream->pause_reading();
      here().executor.after(milliseconds(5), [&] { pair.client.stream->resume_reading(); });
    }
    return bytes.size();
  };
  there().executor.post(fill);
  ASSERT_TRUE(run_until([&] { return taken == kTotal; }, seconds(60)));
  EXPECT_TRUE(right);
  EXPECT_GT(pair.server.drained, 10);
  EXPECT_LE(unsent_max, kHighWater + kChunk);
  EXPECT_EQ(pair.server.stream->unsent(), 0U);
}

TEST_P(EnvContract, PausedStreamDeliversNothingAndThenEverything) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  std::string seen;
  pair.server.on_data = [&](std::string_view bytes) {
    seen = bytes;
    pair.server.stream->pause_reading();
    return std::size_t{0};
  };
  here().executor.post([&] { pair.client.stream->output().append("first"); });
  ASSERT_TRUE(run_until([&] { return seen == "first"; }));
  here().executor.post([&] { pair.client.stream->output().append(" second"); });
  run_for(milliseconds(20));
  EXPECT_EQ(seen, "first");

  // The left-over comes again though nothing new may have come.
  int calls = 0;
  pair.server.on_data = [&](std::string_view bytes) {
    ++calls;
    EXPECT_TRUE(bytes.starts_with("first"));
    seen = bytes;
    return std::size_t{0};
  };
  there().executor.post([&] {
    pair.server.stream->resume_reading();
    EXPECT_EQ(calls, 0);  // not from inside the call
  });
  ASSERT_TRUE(run_until([&] { return seen == "first second"; }));
}

TEST_P(EnvContract, ResumeDeliversALeftOverThoughNothingNewCame) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  std::string seen;
  pair.server.on_data = [&](std::string_view bytes) {
    seen.append(bytes).append("|");
    pair.server.stream->pause_reading();
    return seen.size() > 6 ? bytes.size() : std::size_t{0};
  };
  here().executor.post([&] { pair.client.stream->output().append("alone"); });
  ASSERT_TRUE(run_until([&] { return seen == "alone|"; }));
  there().executor.post([&] { pair.server.stream->resume_reading(); });
  ASSERT_TRUE(run_until([&] { return seen == "alone|alone|"; }));
}

TEST_P(EnvContract, CloseAfterFlushSendsEverythingFirst) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  const std::string farewell(3'000'000, 'f');
  // Input that the server will never read must not take the answer with it.
  here().executor.post([&] { pair.client.stream->output().append(500'000, 'x'); });
  there().executor.post([&] {
    pair.server.on_data = [](std::string_view) -> std::size_t {
      ADD_FAILURE() << "input after close_after_flush";
      return 0;
    };
    pair.server.stream->output().append(farewell);
    pair.server.stream->close_after_flush();
    EXPECT_EQ(pair.server.closed, 0);
  });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  EXPECT_EQ(pair.client.received.size(), farewell.size());
}

TEST_P(EnvContract, CloseNowEndsBothSidesOnceEach) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  there().executor.post([&] {
    pair.server.stream->close_now();
    EXPECT_EQ(pair.server.closed, 0);  // never from inside a call
    pair.server.stream->close_now();
  });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  run_for(milliseconds(20));
  EXPECT_TRUE(pair.both_closed());
}

TEST_P(EnvContract, WhoHasEndedItsOutputStillGetsWhatComesLater) {
  Pair pair(world());
  pair.server.says_more = true;
  ASSERT_TRUE(pair.connect());
  here().executor.post([&] {
    pair.client.stream->output().append("question");
    pair.client.stream->end_output();
    EXPECT_EQ(pair.client.closed, 0);
  });
  ASSERT_TRUE(run_until([&] { return pair.server.input_ends == 1; }));
  EXPECT_EQ(pair.server.received, "question");
  run_for(milliseconds(50));
  EXPECT_EQ(pair.server.closed + pair.client.closed, 0);
  const std::string answer(3'000'000, 'a');
  there().executor.post([&] { pair.server.stream->output().append("first, "); });
  ASSERT_TRUE(run_until([&] { return pair.client.received == "first, "; }));
  there().executor.post([&] {
    pair.server.stream->output().append(answer);
    pair.server.stream->close_after_flush();
  });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  EXPECT_TRUE(pair.client.received == "first, " + answer);
  EXPECT_EQ(pair.server.input_ends, 1);
  EXPECT_EQ(pair.client.input_ends, 1);
}

TEST_P(EnvContract, EndOfInputComesAfterAllInputAndNotWhilePaused) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  int deliveries = 0;
  pair.server.on_data = [&](std::string_view bytes) {
    EXPECT_EQ(pair.server.input_ends, 0);
    pair.server.stream->pause_reading();
    return ++deliveries == 1 ? bytes.size() - 3 : bytes.size();
  };
  here().executor.post([&] {
    pair.client.stream->output().append("all that is said");
    pair.client.stream->end_output();
  });
  ASSERT_TRUE(run_until([&] { return deliveries == 1; }));
  run_for(milliseconds(50));
  EXPECT_EQ(pair.server.input_ends, 0);
  there().executor.post([&] { pair.server.stream->resume_reading(); });
  ASSERT_TRUE(run_until([&] { return deliveries == 2; }));
  run_for(milliseconds(50));
  EXPECT_EQ(pair.server.input_ends, 0);
  there().executor.post([&] { pair.server.stream->resume_reading(); });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  EXPECT_EQ(pair.server.input_ends, 1);
}

// By somebody else, who is heard before the end is: not even then is anything lost.
TEST_P(EnvContract, WhatWasLeftComesBeforeTheEndOfInputWheneverItIsResumed) {
  Pair pair(world());
  Pair other(world());
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(other.connect());
  std::string seen;
  pair.server.on_data = [&](std::string_view bytes) -> std::size_t {
    EXPECT_EQ(pair.server.input_ends, 0);
    if (seen.empty()) {
      seen = "nothing";
      pair.server.stream->pause_reading();
      return 0;
    }
    seen = bytes;
    return bytes.size();
  };
  other.server.on_data = [&](std::string_view bytes) {
    pair.server.stream->resume_reading();
    return bytes.size();
  };
  here().executor.post([&] { pair.client.stream->output().append("what is left"); });
  ASSERT_TRUE(run_until([&] { return seen == "nothing"; }));
  here().executor.post([&] {
    other.client.stream->output().append("go on");
    pair.client.stream->end_output();
  });
  ASSERT_TRUE(run_until([&] { return pair.server.input_ends == 1; }));
  EXPECT_EQ(seen, "what is left");
}

// As by one that is called again while it says that it found no room.
TEST_P(EnvContract, WhatWasLeftComesBeforeTheEndOfInputThoughItIsResumedAtOnce) {
  // As much as is read at a time, so that there may be more; and that is the end.
  constexpr std::size_t kSent = 32 * 1024;
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  bool resumed = false;
  std::size_t taken = 0;
  pair.server.on_data = [&](std::string_view bytes) -> std::size_t {
    EXPECT_EQ(pair.server.input_ends, 0);
    if (bytes.size() < kSent) return 0;
    if (!resumed) {
      resumed = true;
      pair.server.stream->pause_reading();
      pair.server.stream->resume_reading();
      return 0;
    }
    taken = bytes.size();
    return bytes.size();
  };
  here().executor.post([&] {
    pair.client.stream->output().append(kSent, 'x');
    pair.client.stream->end_output();
  });
  ASSERT_TRUE(run_until([&] { return pair.server.input_ends == 1; }));
  EXPECT_EQ(taken, kSent);
}

TEST_P(EnvContract, EndOfInputClosesAfterFlushUnlessTheHandlerSaysOtherwise) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  pair.server.on_data = [&](std::string_view bytes) {
    pair.server.stream->output().append(2'000'000, 'a');
    return bytes.size();
  };
  here().executor.post([&] {
    pair.client.stream->output().append("question");
    pair.client.stream->end_output();
  });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  EXPECT_EQ(pair.client.received.size(), 2'000'000U);
}

TEST_P(EnvContract, AStreamEndsWhenBothSidesHaveEndedTheirOutput) {
  Pair pair(world());
  pair.server.says_more = true;
  pair.client.says_more = true;
  ASSERT_TRUE(pair.connect());
  there().executor.post([&] {
    pair.server.stream->output().append("bye");
    pair.server.stream->end_output();
  });
  ASSERT_TRUE(run_until([&] { return pair.client.input_ends == 1; }));
  EXPECT_EQ(pair.client.received, "bye");
  EXPECT_EQ(pair.client.closed, 0);
  here().executor.post([&] {
    pair.client.stream->output().append("bye, too");
    pair.client.stream->end_output();
  });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  EXPECT_EQ(pair.server.received, "bye, too");
}

TEST_P(EnvContract, AnAnswerToOneThatHasGoneEndsTheStream) {
  Pair pair(world());
  pair.server.says_more = true;
  ASSERT_TRUE(pair.connect());
  here().executor.post([&] { pair.client.stream->close_now(); });
  ASSERT_TRUE(run_until([&] { return pair.server.input_ends == 1; }));
  EXPECT_EQ(pair.server.closed, 0);
  struct Speaker {
    Pair& pair;
    void run() {
      if (pair.server.stream == nullptr) return;
      pair.server.stream->output().append("are you there?");
      pair.world.there().executor.after(milliseconds(5), [this] { run(); });
    }
  } speaker{pair};
  there().executor.post([&] { speaker.run(); });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
}

TEST_P(EnvContract, HandlerMayCloseInsideOnData) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  pair.server.on_data = [&](std::string_view bytes) {
    pair.server.stream->output().append("bye");
    pair.server.stream->close_after_flush();
    return bytes.size();
  };
  here().executor.post([&] { pair.client.stream->output().append("QUIT"); });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  EXPECT_EQ(pair.client.received, "bye");
}

TEST_P(EnvContract, StreamEndsWhenTheOtherProcessDoes) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  pair.listener.reset();
  world().restart_there();
  ASSERT_TRUE(run_until([&] { return pair.client.closed == 1; }));
  EXPECT_EQ(pair.server.closed, 0);  // a process that has ended calls nobody
}

TEST_P(EnvContract, DiallingWhereNobodyListensFails) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  here().executor.post([&] { pair.client.stream->close_now(); });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  const int before = pair.client_acceptor.accepted;
  here().executor.post([&] {
    pair.dial();
    EXPECT_EQ(pair.client.error, "");  // not from inside the call
  });
  pair.listener.reset();
  ASSERT_TRUE(run_until([&] { return !pair.client.error.empty(); }));
  EXPECT_EQ(pair.client_acceptor.accepted, before);
}

TEST_P(EnvContract, RefusedConnectionIsClosed) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  here().executor.post([&] { pair.client.stream->close_now(); });
  ASSERT_TRUE(run_until([&] { return pair.both_closed(); }));
  pair.server_acceptor.refuse = true;
  here().executor.post([&] { pair.dial(); });
  ASSERT_TRUE(run_until([&] { return pair.server_acceptor.accepted == 2; }));
  // Whether it was connected for a moment is the network's business; that it ends is not.
  ASSERT_TRUE(run_until([&] { return pair.client.closed == 2 || !pair.client.error.empty(); }));
  EXPECT_EQ(pair.server.stream, nullptr);
  EXPECT_EQ(pair.server.closed, 1);
}

TEST_P(EnvContract, SecondListenerOnOneAddressIsAConflict) {
  End end;
  Acceptor acceptor(end);
  const auto first = here().network.listen_streams(world().here_address(), acceptor);
  ASSERT_TRUE(first.has_value());
  EXPECT_NE((*first)->address().port, 0);
  const auto second = here().network.listen_streams((*first)->address(), acceptor);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().detail, HasSubstr(to_string((*first)->address())));
  const auto other = here().network.listen_streams(world().here_address(), acceptor);
  ASSERT_TRUE(other.has_value());
  EXPECT_NE((*other)->address(), (*first)->address());
}

TEST_P(EnvContract, ConnectionsOutliveTheirListener) {
  Pair pair(world());
  ASSERT_TRUE(pair.connect());
  pair.listener.reset();
  here().executor.post([&] { pair.client.stream->output().append("still there?"); });
  ASSERT_TRUE(run_until([&] { return pair.server.received == "still there?"; }));
}

TEST_P(EnvContract, OutputOfOneTurnMayBeGreetingsInOnAccept) {
  End server;
  End client;
  struct Greeter final : StreamAcceptor {
    explicit Greeter(End& e) : end(e) {}
    std::unique_ptr<StreamHandler> on_accept(Stream& stream) override {
      stream.output().append("hello");
      stream.close_after_flush();
      return std::make_unique<Handler>(end);
    }
    End& end;
  } greeter(server);
  Acceptor acceptor(client);
  const auto listener = there().network.listen_streams(world().there_address(), greeter);
  ASSERT_TRUE(listener.has_value());
  here().network.connect_stream((*listener)->address(), acceptor, [](const Error&) {});
  ASSERT_TRUE(run_until([&] { return server.closed == 1 && client.closed == 1; }));
  EXPECT_EQ(client.received, "hello");
}

}  // namespace stator::env::contract
