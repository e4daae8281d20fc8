// SPDX-License-Identifier: MIT
// What 63_node.py drives: one call a line on standard input, one answer a line on standard output.
//   {"call": "node", "protocol": 1 or 2, "task", "args", "kwargs"}   by celery-node, awaited
//   {"call": "amqp", "headers", "body", "priority"}                  by amqplib, confirmed
const readline = require("readline");
const celery = require("celery-node");
const amqplib = require("amqplib");

const broker = process.env.JOBFLEET_BROKER_URL;
const queue = process.argv[2];
const LIMIT_MS = 30000;

const client = celery.createClient(broker, process.env.JOBFLEET_REDIS_URL, queue);

async function byNode(call) {
	client.conf.TASK_PROTOCOL = call.protocol;
	const sent = client.sendTask(call.task, call.args || [], call.kwargs || {});
	try {
		return { id: sent.taskId, value: await sent.get(LIMIT_MS, 50) };
	} catch (problem) {
		return { id: sent.taskId, status: problem.message, exc_type: problem.exc_type,
			exc_message: problem.exc_message, exc_module: problem.exc_module };
	}
}

async function byAmqp(call) {
	const connection = await amqplib.connect(broker);
	const channel = await connection.createConfirmChannel();

	channel.publish("", queue, Buffer.from(call.body), {
		contentType: "application/json", contentEncoding: "utf-8", deliveryMode: 2,
		correlationId: call.headers.id, priority: call.priority, headers: call.headers,
	});
	await channel.waitForConfirms();
	await connection.close();
	return {};
}

const lines = readline.createInterface({ input: process.stdin });

lines.on("line", async (line) => {
	const call = JSON.parse(line);
	const answer = await (call.call === "node" ? byNode(call) : byAmqp(call));

	console.log(JSON.stringify(answer));
});
lines.on("close", () => process.exit(0));
