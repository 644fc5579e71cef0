// What the tests of Node's clients share.
import assert from 'node:assert/strict';

export const ports = process.env.STATOR_REDIS_PORTS.split(',').map(Number);
const PATIENCE_MS = 60000;
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

// Asks again until the answer is what it must become.
export async function until(expected, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer === expected) return;
    if (Date.now() > end) assert.equal(answer, expected);
    await sleep(20);
  }
}

export const addresses = ports.map((port) => ({ host: '127.0.0.1', port }));

const cases = [];
export function test(name, body) {
  cases.push([name, body]);
}

// Runs each case, one after the other, and prints how many passed.
export async function run(close) {
  let failed = 0;
  for (const [name, body] of cases) {
    try {
      await body();
    } catch (error) {
      failed += 1;
      console.error(`FAILED ${name}\n${error.stack}`);
    }
  }
  await close();
  console.log(`${cases.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

export const range = (count) => Array.from({ length: count }, (_, i) => i);

export function between(value, low, high) {
  const number = Number(value);
  assert.ok(number >= low && number <= high, `${value} is not from ${low} to ${high}`);
}
