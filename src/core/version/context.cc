#include "core/version/context.h"

#include <algorithm>

#include "base/probe.h"

namespace stator {

bool Context::covers(const Version& version) const {
  if (clock.covers(version.event())) return true;
  return std::any_of(seen.begin(), seen.end(), [&](const SeenVersion& one) {
    if (one.event() == version.event()) return true;
    if (!one.write_id || one.write_id != version.write_id) return false;
    STATOR_PROBE("context: saw this write under another event");
    return true;
  });
}

void Context::clear() {
  clock.clear();
  seen.clear();
  time = {};
  fastest = {};
}

void make_context(const Object& object, NodeId fastest, Context& out) {
  out.clear();
  out.clock = object.clock;
  out.fastest = fastest;
  for (const Version& version : object.versions) {
    out.time = std::max(out.time, version.time);
    // The clock covers the version itself. A write that is minted once has nothing to add.
    if (version.write_id && version.write_id.retryable()) {
      out.seen.push_back({version.dot, version.first_counter, version.write_id});
    }
  }
  for (const Dot& dot : object.cloud) out.seen.push_back({dot, dot.counter, {}});
}

void extend_context(Context& context, const Version& own_write) {
  const auto kept =
      std::remove_if(context.seen.begin(), context.seen.end(), [&](const SeenVersion& one) {
        return one.dot.actor == own_write.dot.actor || one.write_id == own_write.write_id;
      });
  context.seen.truncate(static_cast<std::size_t>(kept - context.seen.begin()));
  context.seen.push_back({own_write.dot, own_write.first_counter, own_write.write_id});
  context.time = std::max(context.time, own_write.time);
}

}  // namespace stator
