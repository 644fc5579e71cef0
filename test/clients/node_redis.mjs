// node-redis, alone and in cluster mode, RESP2 and RESP3, on different nodes. Whoever writes, the next
// one reads.
import assert from 'node:assert/strict';
import { RESP_TYPES, createClient, createCluster } from '@redis/client';
import { addresses, between, ports, range, run, test, until } from './node_clients.mjs';

const noted = (client) => client.on('error', (error) => console.error(`client: ${error.message}`));
const single = (node, RESP) => noted(createClient({ RESP, socket: addresses[node] })).connect();
const whole = (node, RESP) => noted(createCluster({ RESP, rootNodes: [{ socket: addresses[node] }] })).connect();

const two = await single(0, 2);
const three = await single(1, 3);
const clusterTwo = await whole(2, 2);
const clusterThree = await whole(1, 3);
const clients = [two, clusterThree, three, clusterTwo];
const pairs = clients.map((writer, i) => [`{nr${i}}`, writer, clients[(i + 1) % clients.length]]);

function eachPair(name, body) {
  test(name, async () => {
    for (const [prefix, writer, reader] of pairs) await body(`${prefix}${name}`, writer, reader);
  });
}

// A command that the library does not know, routed by its key in cluster mode.
function call(client, ...words) {
  return client === clusterTwo || client === clusterThree
    ? client.sendCommand(words[1], words[0].endsWith('GET'), words)
    : client.sendCommand(words);
}

test('what one writes all read, through any node', async () => {
  for (const [key, writer] of pairs) {
    assert.equal(await writer.set(key, `of ${key}`), 'OK');
    for (const client of clients) assert.equal(await client.get(key), `of ${key}`);
  }
});

eachPair('set and its options', async (key, writer, reader) => {
  assert.equal(await writer.set(key, 'a', { expiration: { type: 'EX', value: 100 } }), 'OK');
  between(await reader.ttl(key), 80, 100);
  assert.equal(await writer.set(key, 'b', { expiration: 'KEEPTTL' }), 'OK');
  between(await reader.pTTL(key), 80000, 100000);
  assert.equal(await writer.set(key, 'c', { expiration: { type: 'PX', value: 50000 } }), 'OK');
  between(await reader.ttl(key), 20, 50);
  assert.equal(await writer.set(key, 'd', { GET: true }), 'c');
  assert.equal(await reader.ttl(key), -1);
  assert.equal(await writer.setEx(key, 100, 'e'), 'OK');
  assert.equal(await reader.get(key), 'e');
  assert.equal(await writer.pSetEx(key, 100000, 'f'), 'OK');
  between(await reader.ttl(key), 80, 100);
  assert.equal(await reader.strLen(key), 1);
});

eachPair('reads that change', async (key, writer, reader) => {
  await writer.set(key, 'one');
  assert.equal(await reader.getSet(key, 'two'), 'one');
  assert.equal(await writer.getEx(key, { type: 'EX', value: 100 }), 'two');
  between(await reader.ttl(key), 80, 100);
  assert.equal(await writer.getEx(key, { type: 'PERSIST' }), 'two');
  assert.equal(await reader.getDel(key), 'two');
  assert.equal(await writer.get(key), null);
  assert.equal(await reader.type(key), 'none');
});

eachPair('expiry', async (key, writer, reader) => {
  assert.equal(Number(await writer.expire(key, 10)), 0);
  await writer.set(key, 'v');
  assert.equal(Number(await writer.expire(key, 100)), 1);
  between(await reader.ttl(key), 80, 100);
  assert.equal(Number(await writer.pExpire(key, 200000)), 1);
  between(await reader.ttl(key), 180, 200);
  const at = Math.floor(Date.now() / 1000) + 300;
  assert.equal(Number(await writer.expireAt(key, at)), 1);
  assert.equal(await reader.expireTime(key), at);
  assert.equal(Number(await writer.pExpireAt(key, at * 1000 + 500)), 1);
  assert.equal(await reader.pExpireTime(key), at * 1000 + 500);
  assert.equal(Number(await writer.persist(key)), 1);
  assert.equal(await reader.ttl(key), -1);
  await writer.pExpire(key, 60);
  await until(null, () => reader.get(key));
  assert.equal(await writer.ttl(key), -2);
});

eachPair('many keys', async (key, writer, reader) => {
  const names = range(50).map((i) => `${key}${i}`);
  assert.equal(await writer.mSet(names.map((name) => [name, `v${name}`])), 'OK');
  assert.deepEqual(await reader.mGet(names), names.map((name) => `v${name}`));
  assert.deepEqual(await reader.mGet([names[0], `${key}none`]), [`v${names[0]}`, null]);
  assert.equal(await reader.exists(names), 50);
  assert.equal(await reader.touch(names.slice(0, 5)), 5);
  assert.equal(await writer.del(names.slice(0, 20)), 20);
  assert.equal(await reader.unlink(names), 30);
  assert.equal(await writer.exists(names), 0);
});

eachPair('pipelines', async (key, writer, reader) => {
  // Commands of one turn go out together.
  const written = await Promise.all(range(300).map((i) => writer.set(`${key}${i}`, `${i}`)));
  assert.deepEqual(written, range(300).map(() => 'OK'));
  const found = await Promise.all(range(300).map((i) => reader.get(`${key}${i}`)));
  assert.deepEqual(found, range(300).map(String));
  const pipeline = reader.multi();
  for (const i of range(100)) pipeline.get(`${key}${i}`).strLen(`${key}${i}`);
  const both = await pipeline.execAsPipeline();
  assert.deepEqual(both, range(100).flatMap((i) => [`${i}`, `${i}`.length]));
});

test('keys of many slots in cluster mode, each at a node that stores it', async () => {
  for (const client of [clusterTwo, clusterThree]) {
    await Promise.all(range(500).map((i) => client.set(`spread${i}`, `${i}`)));
    assert.deepEqual(await two.mGet(range(500).map((i) => `spread${i}`)), range(500).map(String));
    const masters = client.masters.map((node) => node.port);
    assert.deepEqual(masters.sort(), [...ports].sort());
  }
});

test('scan walks the whole cluster from any node, and its cursor is good on every node', async () => {
  const names = range(700).map((i) => `walk:${i}`);
  await two.mSet(names.map((name) => [name, 'x']));
  for (const client of [two, three]) {
    const found = new Set();
    for await (const keys of client.scanIterator({ MATCH: 'walk:*', COUNT: 50 })) keys.forEach((k) => found.add(k));
    assert.deepEqual([...found].sort(), [...names].sort());
  }
  const found = new Set();
  let cursor = '0';
  let steps = 0;
  do {
    const answer = await [two, three][steps % 2].scan(cursor, { MATCH: 'walk:*', COUNT: 40 });
    answer.keys.forEach((key) => found.add(key));
    cursor = answer.cursor;
    steps += 1;
  } while (cursor !== '0');
  assert.ok(steps > 3, `${steps} steps`);
  assert.deepEqual([...found].sort(), [...names].sort());
  assert.ok(await two.dbSize() > 0);
});

eachPair('bytes of any kind, to one mebibyte', async (key, writer, reader) => {
  const bytes = reader.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  for (const value of [Buffer.alloc(0), Buffer.from(range(256)), Buffer.alloc(1 << 20, 7)]) {
    await writer.set(key, value);
    assert.ok(value.equals(await bytes.get(key)));
  }
  await assert.rejects(writer.set(key, Buffer.alloc((1 << 20) + 1)), /TOOLARGE/);
});

eachPair('what cannot be honest is refused with a reason', async (key, writer, reader) => {
  await assert.rejects(writer.setNX(key, 'v'), /no node can promise/);
  await assert.rejects(writer.set(key, 'v', { condition: 'NX' }), /ST\.PUT/);
  await assert.rejects(writer.incr(key), /concurrent changes would be lost/);
  await assert.rejects(writer.blPop(key, 1), /the same element/);
  await assert.rejects(writer.multi().set(key, 'v').exec(), /MULTI is not offered|no transactions/);
  assert.equal(await reader.get(key), null);
});

// RESP2 answers arrays, RESP3 maps with names.
const named = (answer) => (Array.isArray(answer)
  ? { context: answer[0], values: answer[1].map(([value]) => value) }
  : { context: answer.context, values: answer.siblings.map(({ value }) => value) });

eachPair('the Dynamo interface', async (key, writer, reader) => {
  const first = await call(writer, 'ST.PUT', key, 'one');
  await call(reader, 'ST.PUT', key, 'two');
  const seen = await call(writer, 'ST.GET', key);
  assert.equal(Array.isArray(seen), writer === two || writer === clusterTwo);
  assert.deepEqual(named(seen).values.sort(), ['one', 'two']);
  assert.deepEqual(named(await call(reader, 'ST.GET', key)).values.sort(), ['one', 'two']);
  await assert.rejects(call(reader, 'ST.PUT', `${key}x`, 'v', 'CTX', first), /BADCONTEXT/);
  const after = await call(reader, 'ST.PUT', key, 'both', 'CTX', named(seen).context);
  assert.equal(await writer.get(key), 'both');
  assert.deepEqual(named(await call(writer, 'ST.GET', key, 'R', '3')).values, ['both']);
  await call(writer, 'ST.DEL', key, 'CTX', after);
  assert.deepEqual(named(await call(reader, 'ST.GET', key)).values, []);
});

// What programs of other languages left here and wait for.
test('values of other clients', async () => {
  for (const client of clients) assert.equal(await client.get('from redis-cli'), 'by redis-cli');
  await clusterThree.set('from node_redis', 'by node_redis');
});

await run(() => Promise.all(clients.map((client) => client.close())));
