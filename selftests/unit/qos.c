// SPDX-License-Identifier: GPL-2.0
/*
 * The sender's QoS table and the receiver's: each pair of state and event
 * against the standard's words, then both on a line that breaks at any moment.
 */
#include <stdio.h>
#include <string.h>
#include <linux/kernel.h>
#include "qos.h"
#include "unit.h"

#define EXPECT(_state, _event, _next, _action)				\
	[MQTT_QOS_##_state][MQTT_QOS_##_event] = {			\
		true, MQTT_QOS_##_next, MQTT_QOS_##_action }

/* As sections 4.3 and 4.4 have it; SEND in QUEUED is looked at by itself. */
static const struct {
	bool listed;
	u8 next;
	u8 action;
} expected[MQTT_QOS_NR_STATES][MQTT_QOS_NR_EVENTS] = {
	EXPECT(QUEUED, PUBACK, QUEUED, NONE),
	EXPECT(QUEUED, PUBREC_OK, QUEUED, SEND_PUBREL_UNKNOWN),
	EXPECT(QUEUED, PUBREC_ERROR, QUEUED, NONE),
	EXPECT(QUEUED, PUBCOMP, QUEUED, NONE),
	EXPECT(QUEUED, RESUME, QUEUED, NONE),

	EXPECT(WAIT_PUBACK, SEND, WAIT_PUBACK, NONE),
	EXPECT(WAIT_PUBACK, PUBACK, DONE, RELEASE),
	EXPECT(WAIT_PUBACK, PUBREC_OK, WAIT_PUBACK, PROTOCOL_ERROR),
	EXPECT(WAIT_PUBACK, PUBREC_ERROR, WAIT_PUBACK, PROTOCOL_ERROR),
	EXPECT(WAIT_PUBACK, PUBCOMP, WAIT_PUBACK, PROTOCOL_ERROR),
	EXPECT(WAIT_PUBACK, RESUME, WAIT_PUBACK, SEND_PUBLISH_DUP),

	EXPECT(WAIT_PUBREC, SEND, WAIT_PUBREC, NONE),
	EXPECT(WAIT_PUBREC, PUBACK, WAIT_PUBREC, PROTOCOL_ERROR),
	EXPECT(WAIT_PUBREC, PUBREC_OK, WAIT_PUBCOMP, SEND_PUBREL),
	EXPECT(WAIT_PUBREC, PUBREC_ERROR, DONE, RELEASE),
	EXPECT(WAIT_PUBREC, PUBCOMP, WAIT_PUBREC, PROTOCOL_ERROR),
	EXPECT(WAIT_PUBREC, RESUME, WAIT_PUBREC, SEND_PUBLISH_DUP),

	EXPECT(WAIT_PUBCOMP, SEND, WAIT_PUBCOMP, NONE),
	EXPECT(WAIT_PUBCOMP, PUBACK, WAIT_PUBCOMP, PROTOCOL_ERROR),
	EXPECT(WAIT_PUBCOMP, PUBREC_OK, WAIT_PUBCOMP, SEND_PUBREL),
	EXPECT(WAIT_PUBCOMP, PUBREC_ERROR, WAIT_PUBCOMP, PROTOCOL_ERROR),
	EXPECT(WAIT_PUBCOMP, PUBCOMP, DONE, RELEASE),
	EXPECT(WAIT_PUBCOMP, RESUME, WAIT_PUBCOMP, SEND_PUBREL),

	EXPECT(DONE, SEND, DONE, NONE),
	EXPECT(DONE, PUBACK, DONE, NONE),
	EXPECT(DONE, PUBREC_OK, DONE, SEND_PUBREL_UNKNOWN),
	EXPECT(DONE, PUBREC_ERROR, DONE, NONE),
	EXPECT(DONE, PUBCOMP, DONE, NONE),
	EXPECT(DONE, RESUME, DONE, NONE),
};

#define EXPECT_RX(_state, _event, _next, _action)			\
	[MQTT_QOS_RX_##_state][MQTT_QOS_RX_##_event] = {		\
		true, MQTT_QOS_RX_##_next, MQTT_QOS_RX_##_action }

/* As section 4.3.3 has it, method A for the receiver. */
static const struct {
	bool listed;
	u8 next;
	u8 action;
} expected_rx[MQTT_QOS_RX_NR_STATES][MQTT_QOS_RX_NR_EVENTS] = {
	EXPECT_RX(FREE, PUBLISH, HELD, HAND_ON),
	EXPECT_RX(FREE, TAKEN, FREE, NONE),
	EXPECT_RX(FREE, REFUSED, FREE, SEND_PUBREC_ERROR),
	EXPECT_RX(FREE, FAILED, FREE, END_CONNECTION),
	EXPECT_RX(FREE, PUBREL, FREE, SEND_PUBCOMP_UNKNOWN),

	EXPECT_RX(HELD, PUBLISH, HELD, SEND_PUBREC),
	EXPECT_RX(HELD, TAKEN, HELD, SEND_PUBREC),
	EXPECT_RX(HELD, REFUSED, FREE, SEND_PUBREC_ERROR),
	EXPECT_RX(HELD, FAILED, FREE, END_CONNECTION),
	EXPECT_RX(HELD, PUBREL, FREE, SEND_PUBCOMP),
};

static void check_step(u8 state, u8 event, u8 qos, u8 next, u8 action)
{
	struct mqtt_qos_step step = mqtt_qos_step(state, event, qos);

	if (step.next != next || step.action != action)
		unit_fail(__FILE__, __LINE__,
			  "state %u event %u QoS %u: %u, %u, not %u, %u",
			  state, event, qos, step.next, step.action, next,
			  action);
}

static void each_pair(void)
{
	unsigned int state, event, qos;

	for (state = 0; state < MQTT_QOS_NR_STATES; state++) {
		for (event = 0; event < MQTT_QOS_NR_EVENTS; event++) {
			if (!expected[state][event].listed) {
				CHECK(state == MQTT_QOS_QUEUED);
				CHECK(event == MQTT_QOS_SEND);
				continue;
			}
			for (qos = 0; qos < 256; qos++)
				check_step(state, event, qos,
					   expected[state][event].next,
					   expected[state][event].action);
		}
	}
}

static void first_sending(void)
{
	unsigned int qos;

	check_step(MQTT_QOS_QUEUED, MQTT_QOS_SEND, 0, MQTT_QOS_DONE,
		   MQTT_QOS_SEND_PUBLISH);
	check_step(MQTT_QOS_QUEUED, MQTT_QOS_SEND, 1, MQTT_QOS_WAIT_PUBACK,
		   MQTT_QOS_SEND_PUBLISH);
	check_step(MQTT_QOS_QUEUED, MQTT_QOS_SEND, 2, MQTT_QOS_WAIT_PUBREC,
		   MQTT_QOS_SEND_PUBLISH);
	for (qos = 3; qos < 256; qos++)
		check_step(MQTT_QOS_QUEUED, MQTT_QOS_SEND, qos,
			   MQTT_QOS_QUEUED, MQTT_QOS_NONE);
}

static void check_rx_step(u8 state, u8 event, u8 next, u8 action)
{
	struct mqtt_qos_step step = mqtt_qos_rx_step(state, event);

	if (step.next != next || step.action != action)
		unit_fail(__FILE__, __LINE__,
			  "received: state %u event %u: %u, %u, not %u, %u",
			  state, event, step.next, step.action, next, action);
}

static void each_pair_received(void)
{
	unsigned int state, event;

	for (state = 0; state < 256; state++) {
		for (event = 0; event < 256; event++) {
			if (state >= MQTT_QOS_RX_NR_STATES ||
			    event >= MQTT_QOS_RX_NR_EVENTS) {
				check_rx_step(state, event, state,
					      MQTT_QOS_RX_NONE);
				continue;
			}
			CHECK(expected_rx[state][event].listed);
			check_rx_step(state, event,
				      expected_rx[state][event].next,
				      expected_rx[state][event].action);
		}
	}
}

static void out_of_range(void)
{
	unsigned int state, event;

	for (state = 0; state < 256; state++)
		for (event = 0; event < 256; event++)
			if (state >= MQTT_QOS_NR_STATES ||
			    event >= MQTT_QOS_NR_EVENTS)
				check_step(state, event, 1, state,
					   MQTT_QOS_NONE);
}

/*
 * The line: what is on it is lost when it breaks. The receiver delivers with
 * the PUBLISH and remembers the identifier until PUBREL; it may refuse a
 * message.
 */
#define NR_MESSAGES 12
#define LINE_LENGTH 64
#define NR_RUNS 20000

enum packet {
	PUBLISH, PUBLISH_DUP, PUBREL, PUBREL_UNKNOWN,
	PUBACK, PUBREC, PUBREC_REFUSED, PUBCOMP,
};

struct line {
	struct {
		u8 packet;
		u8 id;
		u8 message;
	} on[LINE_LENGTH];
	unsigned int first, nr;
};

struct message {
	u8 state;
	u8 id;		/* 0: none */
	u8 qos;
	bool refused;
	bool taken;	/* the sender was told so */
	unsigned int delivered;
	unsigned int published;
	unsigned int released;
	unsigned int pubrel_sent;
};

static struct message messages[NR_MESSAGES];
static struct line down, up;
static u8 owner[NR_MESSAGES + 1];	/* by identifier: message + 1 */
static u8 known[NR_MESSAGES + 1];	/* the receiver's identifiers */
static unsigned int resume_at;
static bool may_break;

static void line_put(struct line *line, u8 packet, u8 id, u8 message)
{
	unsigned int at = (line->first + line->nr) % LINE_LENGTH;

	if (line->nr == LINE_LENGTH) {
		unit_fail(__FILE__, __LINE__, "the line is full");
		return;
	}
	line->on[at].packet = packet;
	line->on[at].id = id;
	line->on[at].message = message;
	line->nr++;
}

static void sender_does(u8 action, unsigned int m, u8 id)
{
	struct message *message = &messages[m];
	bool dup = action == MQTT_QOS_SEND_PUBLISH_DUP;

	switch (action) {
	case MQTT_QOS_SEND_PUBLISH:
	case MQTT_QOS_SEND_PUBLISH_DUP:
		if (message->pubrel_sent)	/* [MQTT-4.3.3-6] */
			unit_fail(__FILE__, __LINE__, "PUBLISH after PUBREL");
		if (dup != !!message->published)
			unit_fail(__FILE__, __LINE__, "wrong DUP");
		message->published++;
		line_put(&down, dup ? PUBLISH_DUP : PUBLISH, message->id, m);
		break;
	case MQTT_QOS_SEND_PUBREL:
		message->pubrel_sent++;
		line_put(&down, PUBREL, message->id, m);
		break;
	case MQTT_QOS_SEND_PUBREL_UNKNOWN:
		line_put(&down, PUBREL_UNKNOWN, id, 0);
		break;
	case MQTT_QOS_RELEASE:
		message->released++;
		owner[message->id] = 0;
		message->id = 0;
		break;
	case MQTT_QOS_PROTOCOL_ERROR:
		unit_fail(__FILE__, __LINE__, "a protocol error");
		break;
	}
}

static void sender_event(unsigned int m, u8 event)
{
	struct message *message = &messages[m];
	struct mqtt_qos_step step;

	step = mqtt_qos_step(message->state, event, message->qos);
	message->state = step.next;
	sender_does(step.action, m, message->id);
}

/* Take the next step there is on the sender's side. */
static void sender_send(void)
{
	unsigned int m;
	u8 id;

	/* First, and in their order, what an earlier connection left. */
	if (resume_at < NR_MESSAGES) {
		sender_event(resume_at++, MQTT_QOS_RESUME);
		return;
	}
	for (m = 0; m < NR_MESSAGES; m++)
		if (messages[m].state == MQTT_QOS_QUEUED)
			break;
	if (m == NR_MESSAGES)
		return;
	/* Three identifiers only, so that they are used again and again. */
	for (id = 1; messages[m].qos && id <= 3; id++)
		if (!owner[id])
			break;
	if (messages[m].qos && id > 3)
		return;
	if (messages[m].qos) {
		owner[id] = m + 1;
		messages[m].id = id;
	}
	sender_event(m, MQTT_QOS_SEND);
}

static void sender_receive(void)
{
	static const u8 events[] = {
		[PUBACK] = MQTT_QOS_PUBACK,
		[PUBREC] = MQTT_QOS_PUBREC_OK,
		[PUBREC_REFUSED] = MQTT_QOS_PUBREC_ERROR,
		[PUBCOMP] = MQTT_QOS_PUBCOMP,
	};
	struct mqtt_qos_step step;
	u8 packet, id;

	if (!up.nr)
		return;
	packet = up.on[up.first].packet;
	id = up.on[up.first].id;
	up.first = (up.first + 1) % LINE_LENGTH;
	up.nr--;
	if (!owner[id]) {
		step = mqtt_qos_step(MQTT_QOS_DONE, events[packet], 0);
		sender_does(step.action, 0, id);
		return;
	}
	if (packet != PUBREC)
		messages[owner[id] - 1].taken = true;
	sender_event(owner[id] - 1, events[packet]);
}

static void receiver_event(u8 event, u8 id, struct message *message)
{
	struct mqtt_qos_step step = mqtt_qos_rx_step(known[id], event);

	known[id] = step.next;
	switch (step.action) {
	case MQTT_QOS_RX_HAND_ON:
		message->delivered += !message->refused;
		receiver_event(message->refused ? MQTT_QOS_RX_REFUSED :
						  MQTT_QOS_RX_TAKEN,
			       id, message);
		break;
	case MQTT_QOS_RX_SEND_PUBREC:
		line_put(&up, PUBREC, id, 0);
		break;
	case MQTT_QOS_RX_SEND_PUBREC_ERROR:
		line_put(&up, PUBREC_REFUSED, id, 0);
		break;
	case MQTT_QOS_RX_SEND_PUBCOMP:
	case MQTT_QOS_RX_SEND_PUBCOMP_UNKNOWN:
		line_put(&up, PUBCOMP, id, 0);
		break;
	default:
		unit_fail(__FILE__, __LINE__, "received: action %u",
			  step.action);
	}
}

static void receiver_takes(u8 packet, u8 id, struct message *message)
{
	switch (packet) {
	case PUBLISH:
	case PUBLISH_DUP:
		if (message->qos == 2) {
			receiver_event(MQTT_QOS_RX_PUBLISH, id, message);
			break;
		}
		message->delivered++;
		if (message->qos)
			line_put(&up, PUBACK, id, 0);
		break;
	case PUBREL:
	case PUBREL_UNKNOWN:
		receiver_event(MQTT_QOS_RX_PUBREL, id, message);
		break;
	}
}

static void receiver_receive(void)
{
	u8 packet, id, m;

	if (!down.nr)
		return;
	packet = down.on[down.first].packet;
	id = down.on[down.first].id;
	m = down.on[down.first].message;
	down.first = (down.first + 1) % LINE_LENGTH;
	down.nr--;
	receiver_takes(packet, id, &messages[m]);
}

/* Both ends lose what is under way, and keep what they know. */
static void line_breaks(void)
{
	memset(&down, 0, sizeof(down));
	memset(&up, 0, sizeof(up));
	resume_at = 0;
}

static bool all_done(void)
{
	unsigned int m;

	for (m = 0; m < NR_MESSAGES; m++)
		if (messages[m].state != MQTT_QOS_DONE)
			return false;
	return !down.nr && !up.nr;
}

static void start(void)
{
	unsigned int m;

	memset(messages, 0, sizeof(messages));
	memset(owner, 0, sizeof(owner));
	memset(known, 0, sizeof(known));
	line_breaks();
	resume_at = NR_MESSAGES;
	for (m = 0; m < NR_MESSAGES; m++) {
		messages[m].state = MQTT_QOS_QUEUED;
		messages[m].qos = unit_random(3);
		messages[m].refused = messages[m].qos == 2 && !unit_random(8);
	}
}

static void check_message(const struct message *message)
{
	unsigned int most = message->qos == 1 ? message->published : 1;
	unsigned int least = message->qos ? !message->refused : !may_break;

	if (message->delivered < least || message->delivered > most)
		unit_fail(__FILE__, __LINE__,
			  "QoS %u: delivered %u times, published %u",
			  message->qos, message->delivered,
			  message->published);
	CHECK(message->released == !!message->qos);
	CHECK(message->taken == !!message->qos);
	CHECK(!message->id);
	CHECK(message->qos || message->published == 1);
	CHECK(may_break || message->published == 1);
	CHECK(may_break || message->pubrel_sent ==
			   (message->qos == 2 && !message->refused));
}

static void run_all(unsigned int nr_runs)
{
	unsigned int run, m, step, breaks;

	for (run = 0; run < nr_runs; run++) {
		start();
		breaks = may_break ? 20 : 0;
		for (step = 0; step < 100000 && !all_done(); step++) {
			if (breaks && !unit_random(12)) {
				breaks--;
				line_breaks();
			}
			switch (unit_random(3)) {
			case 0:
				sender_send();
				break;
			case 1:
				sender_receive();
				break;
			case 2:
				receiver_receive();
				break;
			}
		}
		CHECK(all_done());
		for (m = 0; m < NR_MESSAGES; m++)
			check_message(&messages[m]);
		for (m = 0; m <= NR_MESSAGES; m++)
			CHECK(!owner[m] && !known[m]);
	}
}

static void sound_line(void)
{
	may_break = false;
	run_all(NR_RUNS / 10);
}

static void breaking_line(void)
{
	may_break = true;
	run_all(NR_RUNS);
}

/* One QoS 2 message, and the line breaks just once, after step n. */
static void broken_at_each_step(void)
{
	unsigned int n, step;

	may_break = true;
	for (n = 0; n < 10; n++) {
		start();
		for (step = 1; step < NR_MESSAGES; step++)
			messages[step].state = MQTT_QOS_DONE;
		messages[0].qos = 2;
		messages[0].refused = false;
		for (step = 0; !all_done() && step < 100; step++) {
			if (step == n)
				line_breaks();
			if (!messages[0].published || resume_at < NR_MESSAGES)
				sender_send();
			else if (down.nr)
				receiver_receive();
			else
				sender_receive();
		}
		CHECK(all_done());
		CHECK_EQ(messages[0].delivered, 1, "exactly once");
		CHECK_EQ(messages[0].released, 1, "one release");
	}
}

/* A peer that knows an identifier we don't: it is answered and set free. */
static void forgotten_by_the_sender(void)
{
	unsigned int m;

	start();
	for (m = 0; m < NR_MESSAGES; m++)
		messages[m].state = MQTT_QOS_DONE;
	known[2] = MQTT_QOS_RX_HELD;
	line_put(&up, PUBREC, 2, 0);
	sender_receive();
	CHECK_EQ(down.nr, 1, "an answer");
	CHECK_EQ(down.on[down.first].packet, PUBREL_UNKNOWN, "which");
	receiver_receive();
	CHECK(!known[2]);
	sender_receive();
	CHECK(all_done());
}

static const struct unit_test tests[] = {
	UNIT_TEST(each_pair),
	UNIT_TEST(each_pair_received),
	UNIT_TEST(first_sending),
	UNIT_TEST(out_of_range),
	UNIT_TEST(sound_line),
	UNIT_TEST(breaking_line),
	UNIT_TEST(broken_at_each_step),
	UNIT_TEST(forgotten_by_the_sender),
};

UNIT_SUITE(qos, tests);
