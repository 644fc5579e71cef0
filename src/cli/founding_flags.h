#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "cli/settings.h"
#include "core/membership/history.h"

namespace stator::cli {

/// What creates a cluster, the same on every founder (design 2.1): flags only, since it is fixed
/// from then on and stands in the membership history. A node that is a member already may be
/// started with or without them.
struct FoundingFlags {
  std::string cluster_id;
  std::string founders;                     // NAME=HOST:PORT[/ZONE[/WEIGHT]],...
  std::optional<std::uint64_t> partitions;  // empty: 1024
  std::optional<std::uint64_t> replicas;    // empty: 3
  std::optional<std::string> read_quorum;   // empty: more than half of the replicas
  std::optional<std::string> write_quorum;  // the same

  [[nodiscard]] bool given() const { return !founders.empty(); }
  /// The first flag that was given and means nothing without --found; empty: none.
  [[nodiscard]] std::string_view first_that_needs_found() const;
  void add_options(std::vector<Option>& options);
};

/// "a=10.0.0.1:7381/rack1/2,b=10.0.0.2:7381": names, addresses, zones, weights; ids are empty.
[[nodiscard]] Result<std::vector<Member>> parse_founders(const std::string& text);

/// Complete and checked. kBadRequest with the flag in its detail.
[[nodiscard]] Result<Founding> make_founding(const FoundingFlags& flags);

/// Takes zone, weight and peer address of the founder that this node is, where the settings leave
/// them open; refuses what contradicts. `loaded` has a name.
[[nodiscard]] Result<void> agree_with_founding(Loaded& loaded, const Founding& founding);

/// What to tell whoever starts a member without --found that listens where nobody looks for it, as
/// the copy of another machine's disk does (D3): `founded_at` is where its peers dial it. Empty
/// where they find it, or where --peer-announce says that addresses are translated.
[[nodiscard]] std::string listens_elsewhere(const node::NodeOptions& options,
                                            const std::string& name, const std::string& founded_at);

}  // namespace stator::cli
