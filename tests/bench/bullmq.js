// SPDX-License-Identifier: MIT
// The bench's BullMQ: worker (yardstick) and client. BENCH_REDIS is host:port:db, BENCH_MODULES where
// bullmq and ioredis are installed.
//
//	bullmq.js fill QUEUE N BYTES KEEP        enqueues; prints {"n", "seconds"}
//	bullmq.js work QUEUE CONCURRENCY         says READY, begins at a line on its standard input
//	bullmq.js stamps QUEUE N WORK_MS RATE    one task at a time or RATE a second; prints {"ms", "p99"}
//	bullmq.js chain|group|chord QUEUE N      prints {"n", "seconds"}
'use strict';
const { createRequire } = require('node:module');
const inside = createRequire(process.env.BENCH_MODULES + '/');
const { Queue, Worker, QueueEvents, FlowProducer } = inside('bullmq');
const [host, port, db] = process.env.BENCH_REDIS.split(':');
const connection = { host, port: Number(port), db: Number(db), maxRetriesPerRequest: null };
const BATCH = 500;
const EVERY_MS = 10;

const clock = () => performance.timeOrigin + performance.now();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const say = (what) => new Promise((done) => process.stdout.write(JSON.stringify(what) + '\n', done));

async function fill(name, n, bytes, keep) {
	const queue = new Queue(name, { connection });
	const data = { args: ['x'.repeat(Number(bytes))] };
	const opts = { removeOnComplete: keep !== 'keep', removeOnFail: true };
	await queue.waitUntilReady();
	const began = clock();
	for (let at = 0; at < n; at += BATCH) {
		const jobs = [];
		for (let i = at; i < Math.min(n, at + BATCH); i++)
			jobs.push({ name: 'noop', data, opts });
		await queue.addBulk(jobs);
	}
	await say({ n: Number(n), seconds: (clock() - began) / 1000 });
	await queue.close();
}

async function run(job) {
	const began = clock();
	if (job.name !== 'stamp')
		return null;
	if (job.data.work)
		await pause(job.data.work);
	return began - job.data.at;
}

async function work(name, concurrency) {
	const worker = new Worker(name, run, {
		connection, concurrency: Number(concurrency), autorun: false });
	await worker.waitUntilReady();
	process.on('SIGTERM', () => worker.close().then(() => process.exit(0)));
	process.stdin.once('data', () => worker.run());
	process.stdout.write('READY\n');
}

async function stamps(name, n, workMs, rate) {
	const queue = new Queue(name, { connection });
	const events = new QueueEvents(name, { connection });
	const waits = [];
	await events.waitUntilReady();
	const all = new Promise((done) => events.on('completed', ({ returnvalue }) => {
		if (waits.push(Number(returnvalue)) === Number(n))
			done();
	}));
	let due = clock();
	for (let i = 0; i < n; i++) {
		due += Number(rate) ? -Math.log(Math.random()) * 1000 / rate : EVERY_MS;
		if (due > clock())
			await pause(due - clock());
		queue.add('stamp', { at: clock(), work: Number(workMs) }, { removeOnComplete: true });
	}
	await all;
	waits.sort((a, b) => a - b);
	await say({ ms: waits[waits.length >> 1], p99: waits[Math.min(n - 1, Math.floor(n * 0.99))] });
	process.exit(0);
}

// From before the members are added, which takes the place of a worker's unrolling, to the end.
async function canvas(kind, name, n) {
	const events = new QueueEvents(name, { connection });
	const flow = new FlowProducer({ connection });
	const node = (children) => ({ name: 'noop', queueName: name, data: {}, children });
	await events.waitUntilReady();
	await flow.waitUntilReady();
	const began = clock();
	if (kind === 'group') {
		let left = Number(n);
		const all = new Promise((done) => events.on('completed', () => --left || done()));
		await new Queue(name, { connection }).addBulk(
			Array.from({ length: n }, () => ({ name: 'noop', data: {} })));
		await all;
	} else {
		let tree = node();
		for (let i = 1; kind === 'chain' && i < n; i++)
			tree = node([tree]);
		if (kind === 'chord')
			tree.children = Array.from({ length: n }, () => node());
		const { job } = await flow.add(tree);
		await job.waitUntilFinished(events);
	}
	await say({ n: Number(n), seconds: (clock() - began) / 1000 });
	process.exit(0);
}

const [what, ...args] = process.argv.slice(2);
({ fill, work, stamps })[what] ? ({ fill, work, stamps })[what](...args) : canvas(what, ...args);
