// ioredis, alone and in cluster mode, on different nodes; RESP2, the only one its versions for Node 18
// speak. Whoever writes, the next one reads.
import assert from 'node:assert/strict';
import Redis, { Cluster } from 'ioredis';
import { addresses, between, ports, range, run, test, until } from './node_clients.mjs';

const alone = ports.map((port) => new Redis({ port, maxRetriesPerRequest: 3 }));
const cluster = new Cluster([addresses[2]], { slotsRefreshTimeout: 10000 });
const clients = [alone[0], cluster, alone[1], alone[2]];
const pairs = clients.map((writer, i) => [`{io${i}}`, writer, clients[(i + 1) % clients.length]]);

function eachPair(name, body) {
  test(name, async () => {
    for (const [prefix, writer, reader] of pairs) await body(`${prefix}${name}`, writer, reader);
  });
}

test('what one writes all read, through any node', async () => {
  for (const [key, writer] of pairs) {
    assert.equal(await writer.set(key, `of ${key}`), 'OK');
    for (const client of clients) assert.equal(await client.get(key), `of ${key}`);
  }
});

eachPair('set and its options', async (key, writer, reader) => {
  assert.equal(await writer.set(key, 'a', 'EX', 100), 'OK');
  between(await reader.ttl(key), 80, 100);
  assert.equal(await writer.set(key, 'b', 'KEEPTTL'), 'OK');
  between(await reader.pttl(key), 80000, 100000);
  assert.equal(await writer.set(key, 'c', 'PX', 50000), 'OK');
  between(await reader.ttl(key), 20, 50);
  assert.equal(await writer.set(key, 'd', 'GET'), 'c');
  assert.equal(await reader.ttl(key), -1);
  assert.equal(await writer.setex(key, 100, 'e'), 'OK');
  assert.equal(await reader.get(key), 'e');
  assert.equal(await writer.psetex(key, 100000, 'f'), 'OK');
  between(await reader.ttl(key), 80, 100);
  assert.equal(await reader.strlen(key), 1);
});

eachPair('reads that change', async (key, writer, reader) => {
  await writer.set(key, 'one');
  assert.equal(await reader.getset(key, 'two'), 'one');
  assert.equal(await writer.getex(key, 'EX', 100), 'two');
  between(await reader.ttl(key), 80, 100);
  assert.equal(await writer.getex(key, 'PERSIST'), 'two');
  assert.equal(await reader.getdel(key), 'two');
  assert.equal(await writer.get(key), null);
  assert.equal(await reader.type(key), 'none');
});

eachPair('expiry', async (key, writer, reader) => {
  assert.equal(await writer.expire(key, 10), 0);
  await writer.set(key, 'v');
  assert.equal(await writer.expire(key, 100), 1);
  between(await reader.ttl(key), 80, 100);
  assert.equal(await writer.pexpire(key, 200000), 1);
  between(await reader.ttl(key), 180, 200);
  const at = Math.floor(Date.now() / 1000) + 300;
  assert.equal(await writer.expireat(key, at), 1);
  assert.equal(Number(await reader.expiretime(key)), at);
  assert.equal(await writer.pexpireat(key, at * 1000 + 500), 1);
  assert.equal(Number(await reader.pexpiretime(key)), at * 1000 + 500);
  assert.equal(await writer.persist(key), 1);
  assert.equal(await reader.ttl(key), -1);
  assert.equal(await writer.pexpire(key, 60), 1);
  await until(null, () => reader.get(key));
  assert.equal(await writer.ttl(key), -2);
});

eachPair('many keys', async (key, writer, reader) => {
  const names = range(50).map((i) => `${key}${i}`);
  assert.equal(await writer.mset(Object.fromEntries(names.map((name) => [name, `v${name}`]))), 'OK');
  assert.deepEqual(await reader.mget(names), names.map((name) => `v${name}`));
  assert.equal(await reader.exists(...names), 50);
  assert.equal(await reader.touch(...names.slice(0, 5)), 5);
  assert.equal(await writer.del(...names.slice(0, 20)), 20);
  assert.equal(await reader.unlink(...names), 30);
  assert.equal(await writer.exists(...names), 0);
});

eachPair('pipelines', async (key, writer, reader) => {
  const writes = writer.pipeline();
  for (const i of range(300)) writes.set(`${key}${i}`, `${i}`);
  assert.deepEqual(await writes.exec(), range(300).map(() => [null, 'OK']));
  const reads = reader.pipeline();
  for (const i of range(300)) reads.get(`${key}${i}`).strlen(`${key}${i}`);
  const found = await reads.exec();
  assert.deepEqual(found, range(300).flatMap((i) => [[null, `${i}`], [null, `${i}`.length]]));
  // Without waiting, as a busy program does.
  assert.deepEqual(await Promise.all(range(300).map((i) => reader.get(`${key}${i}`))), range(300).map(String));
});

test('keys of many slots in cluster mode', async () => {
  await Promise.all(range(500).map((i) => cluster.set(`spread${i}`, i)));
  const found = await Promise.all(range(500).map((i) => cluster.get(`spread${i}`)));
  assert.deepEqual(found, range(500).map(String));
  assert.deepEqual(await alone[0].mget(range(500).map((i) => `spread${i}`)), range(500).map(String));
  const masters = cluster.nodes('master').map((node) => node.options.port);
  assert.deepEqual(masters.sort(), [...ports].sort());
});

test('scan walks the whole cluster from any node, and its cursor is good on every node', async () => {
  const names = range(700).map((i) => `walk:${i}`);
  await alone[0].mset(names.flatMap((name) => [name, 'x']));
  for (const client of [...alone, ...cluster.nodes('master')]) {
    const found = new Set();
    for await (const keys of client.scanStream({ match: 'walk:*', count: 50 })) keys.forEach((k) => found.add(k));
    assert.deepEqual([...found].sort(), [...names].sort());
  }
  const found = new Set();
  let cursor = '0';
  let steps = 0;
  do {
    const [next, keys] = await alone[steps % 3].scan(cursor, 'MATCH', 'walk:*', 'COUNT', 40);
    keys.forEach((key) => found.add(key));
    cursor = next;
    steps += 1;
  } while (cursor !== '0');
  assert.ok(steps > 3, `${steps} steps`);
  assert.deepEqual([...found].sort(), [...names].sort());
});

test('DBSIZE of all nodes sums to the keys there are', async () => {
  const all = new Set();
  for await (const keys of alone[0].scanStream({ count: 500 })) keys.forEach((key) => all.add(key));
  // A copy that is still on its way to a key's first owner is counted when it has come.
  await until(all.size, async () => {
    const sizes = await Promise.all(alone.map((client) => client.dbsize()));
    return sizes.reduce((a, b) => a + b);
  });
});

eachPair('bytes of any kind, to one mebibyte', async (key, writer, reader) => {
  for (const value of [Buffer.alloc(0), Buffer.from(range(256)), Buffer.alloc(1 << 20, 7)]) {
    await writer.set(key, value);
    assert.ok(value.equals(await reader.getBuffer(key)));
  }
  await assert.rejects(writer.set(key, Buffer.alloc((1 << 20) + 1)), /TOOLARGE/);
});

eachPair('what cannot be honest is refused with a reason', async (key, writer, reader) => {
  await assert.rejects(writer.setnx(key, 'v'), /no node can promise/);
  await assert.rejects(writer.set(key, 'v', 'NX'), /ST\.PUT/);
  await assert.rejects(writer.incr(key), /concurrent changes would be lost/);
  await assert.rejects(writer.blpop(key, 1), /the same element/);
  await assert.rejects(writer.multi().set(key, 'v').exec(), /MULTI is not offered/);
  assert.equal(await reader.get(key), null);
});

eachPair('the Dynamo interface', async (key, writer, reader) => {
  const first = await writer.call('ST.PUT', key, 'one');
  await reader.call('ST.PUT', key, 'two');
  const [context, siblings] = await writer.call('ST.GET', key);
  assert.deepEqual(siblings.map(([value]) => value).sort(), ['one', 'two']);
  await assert.rejects(reader.call('ST.PUT', `${key}x`, 'v', 'CTX', first), /BADCONTEXT/);
  const after = await reader.call('ST.PUT', key, 'both', 'CTX', context);
  assert.equal(await writer.get(key), 'both');
  assert.equal((await writer.call('ST.GET', key, 'R', 3))[1].length, 1);
  await writer.call('ST.DEL', key, 'CTX', after);
  assert.deepEqual((await reader.call('ST.GET', key))[1], []);
});

// What programs of other languages left here and wait for.
test('values of other clients', async () => {
  for (const client of clients) assert.equal(await client.get('from redis-cli'), 'by redis-cli');
  await cluster.set('from ioredis', 'by ioredis');
});

await run(() => Promise.all(clients.map((client) => client.quit())));
