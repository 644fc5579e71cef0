// Paper 6: the patterns in which services use the store, and what N, R and W change (V32).

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "support.h"

namespace stator::test {
namespace {

using Values = std::vector<std::string>;

std::set<std::string> items_of(const std::string& cart) {
  std::set<std::string> items;
  std::istringstream in(cart);
  for (std::string item; in >> item;) items.insert(item);
  return items;
}

/// The cart's own reconciliation: the union of all versions.
std::set<std::string> merged(const Values& versions) {
  std::set<std::string> items;
  for (const std::string& version : versions) items.merge(items_of(version));
  return items;
}

std::string cart_of(const std::set<std::string>& items) {
  std::string cart;
  for (const std::string& item : items) cart += item + " ";
  return cart;
}

// Business-logic reconciliation: "add to cart" is never lost.
TEST(Section6, CartsThatWereFilledOnBothSidesOfACutAreMergedByTheirReader) {
  Cluster cluster(61, 3);
  cluster.write(0, "cart", cart_of({"book"}));
  cluster.run(seconds(1));
  const auto add = [&](unsigned node, const std::string& item) {
    const ReadAnswer read = cluster.read(node, "cart", {.r = 1});
    ASSERT_TRUE(read.ok);
    std::set<std::string> items = merged(read.values);
    items.insert(item);
    EXPECT_EQ(cluster
                  .write(node, "cart", cart_of(items), &read.context, node::WriteKind::kWithContext,
                         {.w = 1})
                  .outcome,
              Outcome::kOk);
  };
  cluster.set_isolated(2, true);
  cluster.run(seconds(2));
  add(0, "pen");
  add(1, "ink");
  add(2, "lamp");
  cluster.set_isolated(2, false);
  cluster.settle();
  const ReadAnswer both = cluster.read(1, "cart", {.r = 3});
  EXPECT_EQ(both.values.size(), 2U);
  EXPECT_EQ(merged(both.values), (std::set<std::string>{"book", "ink", "lamp", "pen"}));
  cluster.write(1, "cart", cart_of(merged(both.values)), &both.context);
  EXPECT_EQ(cluster.read(2, "cart").values.size(), 1U);
}

// The price that the paper names: deleted items can resurface, since the union cannot tell an item
// that one side removed from one that the other side added.
TEST(Section6, AnItemRemovedOnOneSideOfACutResurfacesInTheUnion) {
  Cluster cluster(62, 3);
  cluster.write(0, "cart", cart_of({"book", "pen"}));
  cluster.run(seconds(1));
  const ReadAnswer here = cluster.read(0, "cart");
  const ReadAnswer there = cluster.read(2, "cart");
  cluster.set_isolated(2, true);
  cluster.run(seconds(2));
  cluster.write(0, "cart", cart_of({"book"}), &here.context);
  cluster.write(2, "cart", cart_of({"book", "ink", "pen"}), &there.context,
                node::WriteKind::kWithContext, {.w = 1});
  cluster.set_isolated(2, false);
  cluster.settle();
  EXPECT_TRUE(merged(cluster.read(0, "cart", {.r = 3}).values).contains("pen"));
}

// Timestamp-based reconciliation: of plain writes the last one stands, wherever it was made.
TEST(Section6, OfPlainWritesThroughDifferentNodesTheLastOneStands) {
  Cluster cluster(63, 5);
  for (unsigned i = 0; i < 50; ++i) {
    const std::string value = std::to_string(i);
    ASSERT_EQ(cluster.write(i % 5, "session", value, nullptr, node::WriteKind::kOverAll).outcome,
              Outcome::kOk);
    EXPECT_EQ(cluster.read((i + 2) % 5, "session").values, Values{value});
  }
}

// The high-performance read engine: R=1, W=N. One replica's answer is enough, and never stale.
TEST(Section6, WithREqualOneAndWEqualNAGetOfOneReplicaSeesEveryPut) {
  Cluster cluster(64, 5, 3, 1, 3);
  Context context;
  for (unsigned i = 0; i < 50; ++i) {
    const WriteAnswer put =
        cluster.write(i % 5, "catalogue", std::to_string(i), context.empty() ? nullptr : &context);
    ASSERT_EQ(put.outcome, Outcome::kOk);
    EXPECT_EQ(put.evidence.nodes, 3);
    context = put.context;
    for (unsigned reader = 0; reader < 5; ++reader) {
      const ReadAnswer got = cluster.read(reader, "catalogue");
      EXPECT_EQ(got.values, Values{std::to_string(i)});
      EXPECT_EQ(got.evidence.nodes, 1);
    }
  }
  // The price: a put needs all three owners. Where it says so, no stand-in makes up for one (4.6).
  cluster.host(cluster.owners("catalogue")[2]).kill();
  cluster.run(seconds(2));
  EXPECT_EQ(cluster
                .write(cluster.owners("catalogue")[0], "catalogue", "x", &context,
                       node::WriteKind::kWithContext, {.pw = 3})
                .outcome,
            Outcome::kNotApplied);
  EXPECT_TRUE(cluster.read(cluster.owners("catalogue")[1], "catalogue").ok);
}

// W=1 rejects nothing while one owner of the key lives.
TEST(Section6, WithWEqualOneAPutIsAcceptedWhileOneOwnerLives) {
  Cluster cluster(65, 3, 3, 1, 1);
  cluster.host(1).kill();
  cluster.host(2).kill();
  cluster.run(seconds(2));
  for (int i = 0; i < 20; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_EQ(cluster.write(0, key, "v").outcome, Outcome::kOk);
    EXPECT_EQ(cluster.read(0, key).values, Values{"v"});
  }
}

}  // namespace
}  // namespace stator::test
