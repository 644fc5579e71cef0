#pragma once

#include "cli/command.h"

// Every command of the program, one registration per file. To add one: write its file, declare its
// function here, call it in commands.cc (the order there is the order of the help).

namespace stator::cli {

void register_serve(Command& root);
void register_dev(Command& root);
void register_get(Command& root);
void register_put(Command& root);
void register_del(Command& root);
void register_status(Command& root);
void register_ring(Command& root);
void register_hints(Command& root);
void register_explain(Command& root);
void register_bench(Command& root);
void register_sim(Command& root);
void register_config(Command& root);
void register_version(Command& root);
/// Both describe the tree that they stand in: called last.
void register_completion(Command& root);
void register_man(Command& root);

/// The whole program.
[[nodiscard]] Command make_program();

}  // namespace stator::cli
