#include "cli/commands.h"

namespace stator::cli {

Command make_program() {
  Command program;
  program.name = "stator";
  program.summary = "Stator: an always-writeable, replicated key-value store without a leader";
  program.details =
      "Exit codes: 0 done, 1 the operation failed, 2 the command line or the configuration is "
      "wrong,\n"
      "3 no node could be reached. NO_COLOR is honoured.\n"
      "\n"
      "`stator help COMMAND` is `stator COMMAND --help`, and `stator --version` is `stator "
      "version`.";
  program.examples = {
      "stator dev                        # a cluster of three nodes to play with",
      "stator put default cart:42 bread  # from another terminal", "stator get default cart:42",
      "stator explain default cart:42    # who holds it, and why a read returns what "
      "it does"};
  register_serve(program);
  register_dev(program);
  register_get(program);
  register_put(program);
  register_del(program);
  register_status(program);
  register_ring(program);
  register_explain(program);
  register_hints(program);
  register_bench(program);
#ifdef STATOR_WITH_SIM
  register_sim(program);
#endif
  register_config(program);
  register_version(program);
  register_completion(program);
  register_man(program);
  return program;
}

}  // namespace stator::cli
