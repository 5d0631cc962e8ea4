#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0
// MQTT.js against the broker at KMQTT_HOST:KMQTT_PORT. KTAP.
"use strict";

const LIMIT = 60000;
const RUN = `js${process.pid}`;
const SESSION_SECONDS = 3600;
const URL = `mqtt://${process.env.KMQTT_HOST || "127.0.0.1"}:` +
	`${process.env.KMQTT_PORT || 1883}`;
// MQTT.js speaks 3.1 when it is given that protocol's name.
const VERSIONS = [
	["3.1", { protocolId: "MQIsdp", protocolVersion: 3 }],
	["3.1.1", { protocolVersion: 4 }],
	["5.0", { protocolVersion: 5 }],
];

// Debian keeps modules where only its own node looks.
function load() {
	process.env.NODE_PATH = [process.env.NODE_PATH, "/usr/share/nodejs",
				 "/usr/lib/nodejs"].filter(Boolean).join(":");
	require("module").Module._initPaths();
	try {
		return require("mqtt");
	} catch (error) {
		if (error.code !== "MODULE_NOT_FOUND")
			throw error;
	}
	console.log("KTAP version 1\n1..0 # SKIP node-mqtt is not installed");
	process.exit(4);
}

const mqtt = load();

function same(got, want) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(want)];

	if (a !== b)
		throw new Error(`got ${a}, not ${b}`);
}

function inTime(what, start) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(
			() => reject(new Error(`no ${what} in time`)), LIMIT);

		start((error, value) => {
			clearTimeout(timer);
			error ? reject(error) : resolve(value);
		});
	});
}

// One connection; messages wait in a queue until they are asked for.
class Client {
	static opened = [];

	static async open(version, name, more = {}) {
		const one = new Client();
		const options = {
			clientId: `${RUN}-${name}`, reconnectPeriod: 0,
			keepalive: 600, connectTimeout: LIMIT,
			...version, ...more,
		};

		if (options.clean === false && options.protocolVersion === 5)
			options.properties = {
				sessionExpiryInterval: SESSION_SECONDS,
			};
		one.messages = [];
		one.wanted = null;
		one.mqtt = mqtt.connect(URL, options);
		Client.opened.push(one);
		one.mqtt.on("message", (topic, payload, packet) =>
			one.take([topic, payload.toString(), packet.qos,
				  packet.retain]));
		const ack = await inTime("CONNACK", (done) => {
			one.mqtt.once("connect", (packet) => done(null, packet));
			one.mqtt.once("error", done);
		});
		one.mqtt.on("error", () => {});
		one.present = ack.sessionPresent;
		return one;
	}

	take(message) {
		if (!this.wanted) {
			this.messages.push(message);
			return;
		}
		const wanted = this.wanted;

		this.wanted = null;
		wanted(null, message);
	}

	next() {
		return inTime("message", (done) => {
			if (this.messages.length)
				done(null, this.messages.shift());
			else
				this.wanted = done;
		});
	}

	async subscribe(topic, qos) {
		const granted = await inTime("SUBACK", (done) =>
			this.mqtt.subscribe(topic, { qos }, done));

		same(granted.map((one) => one.qos), [qos]);
	}

	publish(topic, payload, qos, retain = false) {
		return inTime("acknowledgement", (done) =>
			this.mqtt.publish(topic, payload, { qos, retain }, done));
	}

	leave() {
		return inTime("end", (done) => this.mqtt.end(false, {}, done));
	}

	// The connection ends without a DISCONNECT.
	vanish() {
		this.mqtt.stream.destroy();
	}

	// Whatever came before this message would be in the queue before it.
	async nothingElse(topic) {
		await this.publish(topic, "last", 2);
		same((await this.next())[1], "last");
		same(this.messages, []);
	}
}

async function delivery(version, qos) {
	const topic = `${RUN}/q${qos}`;
	const sub = await Client.open(version, "sub");
	const pub = await Client.open(version, "pub");
	const texts = [0, 1, 2, 3, 4, 5].map((i) => `${i} ` + "x".repeat(1000 * i));

	await sub.subscribe(topic, qos);
	await Promise.all(texts.map((text) => pub.publish(topic, text, qos)));
	for (const text of texts)
		same(await sub.next(), [topic, text, qos, false]);
	await sub.nothingElse(topic);
}

async function retained(version) {
	const topic = `${RUN}/retained`;
	const pub = await Client.open(version, "pub");
	const first = await Client.open(version, "first");
	const second = await Client.open(version, "second");

	await pub.publish(topic, "old", 1, true);
	await pub.publish(topic, "new", 1, true);
	await first.subscribe(`${RUN}/#`, 1);
	same(await first.next(), [topic, "new", 1, true]);
	await first.nothingElse(topic);
	await first.leave();
	await pub.publish(topic, "", 1, true);
	await second.subscribe(`${RUN}/#`, 1);
	await second.nothingElse(topic);
}

async function will(version) {
	const topic = `${RUN}/will`;
	const sub = await Client.open(version, "sub");

	await sub.subscribe(topic, 2);
	const leaves = await Client.open(version, "leaves", {
		will: { topic, payload: "never", qos: 2, retain: false },
	});
	await leaves.leave();
	const vanishes = await Client.open(version, "vanishes", {
		will: { topic, payload: "gone", qos: 2, retain: false },
	});
	vanishes.vanish();
	same(await sub.next(), [topic, "gone", 2, false]);
	await sub.nothingElse(topic);
}

async function session(version) {
	const topic = `${RUN}/session`;
	const name = `stays${version.protocolVersion}`;
	const sent = Array.from({ length: 20 },
				(_, i) => [topic, `${i}`, 1 + i % 2, false]);
	const pub = await Client.open(version, "pub");
	const before = await Client.open(version, name, { clean: false });

	same(before.present, false);
	await before.subscribe(topic, 2);
	await before.leave();
	for (const [, text, qos] of sent)
		await pub.publish(topic, text, qos);
	const after = await Client.open(version, name, { clean: false });

	// 3.1 has no such flag.
	same(after.present, version.protocolVersion !== 3);
	const got = [];

	while (got.length < sent.length)
		got.push(await after.next());
	// The standard promises an order to each QoS by itself.
	for (const qos of [1, 2])
		same(got.filter((one) => one[2] === qos),
		     sent.filter((one) => one[2] === qos));
	await after.nothingElse(topic);
	await after.leave();
	const clean = await Client.open(version, name);

	same(clean.present, false);
}

function tests() {
	const all = [];

	for (const [name, version] of VERSIONS) {
		for (const qos of [0, 1, 2])
			all.push([`${name} QoS ${qos}`,
				  () => delivery(version, qos)]);
		all.push([`${name} retained`, () => retained(version)]);
		all.push([`${name} will`, () => will(version)]);
		all.push([`${name} resumed session`, () => session(version)]);
	}
	return all.filter(([name]) => name.includes(process.env.T || ""));
}

async function main() {
	const chosen = tests();
	let failed = 0;

	console.log("KTAP version 1");
	if (!chosen.length) {
		console.log("1..0 # SKIP no such test");
		return 4;
	}
	console.log(`1..${chosen.length}`);
	for (const [i, [name, test]] of chosen.entries()) {
		try {
			await test();
			console.log(`ok ${i + 1} ${name}`);
		} catch (error) {
			failed++;
			console.log(`# ${error.message}`);
			console.log(`not ok ${i + 1} ${name}`);
		}
		for (const one of Client.opened.splice(0))
			if (!one.mqtt.disconnected && !one.mqtt.disconnecting)
				one.mqtt.end(true);
	}
	return failed ? 1 : 0;
}

main().then((status) => process.exit(status));
