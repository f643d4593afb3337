// SPDX-License-Identifier: MIT
//
// A peer's worker in node (struct bench_peer in src/bench/bench.h): child_process.spawn. An
// operation ends with the event 'exit'.
//
//	node worker.js WORKLOAD X
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');

const PAGE = 4096;
const LARGEST = 2 ** 30; // of one Buffer
const MOST_OPERATIONS = 100000;
const MOST_TASKS = 100000;
const ENVIRONMENT = { PATH: '/usr/bin:/bin' };
const program = process.env.RAMET_BENCH_PROGRAM;

// By a plain write: console.log to a pipe may be late.
const say = (text) => fs.writeSync(1, text + '\n');

function end(status, text) {
  if (status === 0) say(text);
  else fs.writeSync(2, text + '\n');
  process.exit(status);
}
const die = (text) => end(1, 'worker: ' + text);
const cannot = (text) => end(0, 'cannot: ' + text);

// Scenes. `kept` is what must live as long as the worker.
const kept = [];

function touchHeap(x) {
  for (let left = x; left > 0; left -= LARGEST) {
    const heap = Buffer.alloc(Math.min(left, LARGEST));
    for (let at = 0; at < heap.length; at += PAGE) heap[at] = 1;
    kept.push(heap);
  }
}

// 0 to x - 1 are open then. node has raised RLIMIT_NOFILE, and marks them close-on-exec.
function openDescriptors(x) {
  for (let fd = 2; fd < x - 1; ) fd = fs.openSync('/dev/null', 'r+');
}

const nothing = () => {};
const scenes = new Map([
  ['launch', touchHeap],
  ['fds', openDescriptors],
  ['burst', nothing],
  ['blocked', touchHeap],
]);

function start() {
  const child = spawn(program, [], { argv0: 'true', env: ENVIRONMENT, stdio: 'inherit' });
  return new Promise((resolve) => {
    child.on('error', (error) => die(error.message));
    child.on('exit', (status, signal) => {
      if (status !== 0) die(`${program}: ended with ${signal || status}`);
      resolve();
    });
  });
}

// Nanoseconds, of a task where there are several.
async function operate(count, onlyStart) {
  const begun = process.hrtime.bigint();
  const running = Array.from({ length: count }, start);
  const started = process.hrtime.bigint();
  await Promise.all(running);
  return ((onlyStart ? started : process.hrtime.bigint()) - begun) / BigInt(count);
}

// A line of standard input, read in the way that holds everything; null: the end.
function readLine() {
  const byte = Buffer.alloc(1);
  let line = '';
  while (fs.readSync(0, byte, 0, 1) === 1) {
    if (byte[0] === 10) return line;
    line += byte.toString('latin1');
  }
  return line || null;
}

async function serve(count, onlyStart) {
  say('ready');
  for (let line = readLine(); line !== null; line = readLine()) {
    const wanted = /^[0-9]{1,9}$/.test(line) ? Number(line) : 0;
    if (wanted < 1 || wanted > MOST_OPERATIONS) die('wanted is a number of operations');
    const numbers = [];
    for (let i = 0; i < wanted; i++) numbers.push(await operate(count, onlyStart));
    say(numbers.join(' '));
  }
}

function main(workload, text, ...more) {
  if (!/^[0-9]{1,15}$/.test(text) || more.length) end(2, 'usage: worker.js WORKLOAD X');
  if (program === undefined) die('RAMET_BENCH_PROGRAM is not set');
  if (!scenes.has(workload)) cannot('this worker has no such workload');
  const x = Number(text);
  const count = workload === 'burst' ? x : 1;
  if (count < 1 || count > MOST_TASKS) cannot('so many tasks at a time are not for this worker');
  try {
    scenes.get(workload)(x);
  } catch (error) {
    cannot('the scene cannot be set: ' + error.message);
  }
  serve(count, workload === 'blocked').catch((error) => die(error.message));
}

main(...process.argv.slice(2));
