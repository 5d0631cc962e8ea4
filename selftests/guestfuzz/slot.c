// SPDX-License-Identifier: GPL-2.0
#include "slot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "answer.h"
#include "authority.h"
#include "reference.h"
#include "run.h"

#define SLOTS		32
#define SLOT_IN_MAX	(1 << 20)

/* What a client waits for. */
enum slot_state {
	SLOT_FREE,
	SLOT_SEND,		/* room to send in */
	SLOT_ANSWERS,		/* answers that are due */
	SLOT_HOLD,		/* the broker to read */
	SLOT_END,		/* the broker to close */
};

/**
 * struct slot - one client
 * @piece: of the plan, being sent
 * @sent: bytes of it
 * @at: where the piece begins
 * @version: that the connection has asked for
 * @in: all that was received, from all connections
 * @in_len: bytes
 * @conn_at: where those of this connection begin
 * @seen: bytes of complete packets
 * @answers: packets on this connection
 * @due: that must have come
 * @moved: when something last happened
 */
struct slot {
	enum slot_state state;
	int fd;
	struct plan plan;
	int piece;
	size_t sent;
	size_t at;
	int version;
	uint8_t *in;
	size_t in_len;
	size_t conn_at;
	size_t seen;
	unsigned int answers;
	unsigned int due;
	double moved;
};

static struct slot slots[SLOTS];
/* Bytes of all clients since the run began; what had been read before that. */
static uint64_t sent_bytes, read_before;

const char *slots_case(const struct plan *plan)
{
	static char text[64];

	snprintf(text, sizeof(text), "KMQTT_FUZZ_CASE=%c%llu", plan->kind,
		 (unsigned long long)plan->number);
	return text;
}

static void found(const struct slot *slot, const char *what)
{
	run_fail("%s: session '%s', %s, at piece %d; again: %s", what,
		 slot->plan.session->name, slot->plan.text, slot->piece,
		 slots_case(&slot->plan));
}

int slots_connect(uint16_t port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd, on = 1;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		run_die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (void *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void hang_up(struct slot *slot, bool reset)
{
	struct linger now = { .l_onoff = 1 };

	if (reset)
		setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(slot->fd);
	slot->fd = -1;
}

static void check_answers(struct slot *slot, bool whole)
{
	const char *wrong;
	char text[128];

	wrong = answer_wrong(slot->in + slot->conn_at,
			     slot->in_len - slot->conn_at, slot->version,
			     whole);
	if (!wrong)
		return;
	snprintf(text, sizeof(text), "an answer is not MQTT %d (%s)",
		 slot->version, wrong);
	found(slot, text);
}

static void slot_free(struct slot *slot)
{
	if (slot->fd >= 0)
		hang_up(slot, false);
	slot->state = SLOT_FREE;
}

static bool begin_connection(struct slots_env *env, struct slot *slot)
{
	const struct plan *plan = &slot->plan;

	slot->fd = slots_connect(env->port + plan->session->auth);
	slot->conn_at = slot->in_len;
	slot->seen = slot->in_len;
	slot->answers = 0;
	slot->due = 0;
	slot->version = answer_version(plan->data + slot->at,
				       plan->len - slot->at);
	if (slot->fd >= 0)
		return true;
	found(slot, "no connection");
	slot_free(slot);
	return false;
}

/* The connection is over, by the broker's will or because all was said. */
static void slot_over(struct slot *slot, bool orderly)
{
	const struct plan *plan = &slot->plan;
	bool all = slot->piece >= plan->nr;

	check_answers(slot, orderly);
	if (!all && slot->piece < plan->exact)
		found(slot, "closed although nothing was wrong");
	else if (plan->same && all)
		reference_check(plan, slot->in, slot->in_len);
	slot_free(slot);
}

static void slot_last(struct slot *slot)
{
	slot->state = SLOT_END;
	switch (slot->plan.end) {
	case PLAN_READ:
		break;
	case PLAN_HALF:
		shutdown(slot->fd, SHUT_WR);
		break;
	default:
		hang_up(slot, slot->plan.end == PLAN_RESET);
		slot_over(slot, false);
	}
}

static void next_piece(struct slots_env *env, struct slot *slot)
{
	struct plan *plan = &slot->plan;

	slot->at += plan->pieces[slot->piece].len;
	slot->sent = 0;
	if (++slot->piece == plan->nr) {
		slot_last(slot);
		return;
	}
	slot->state = SLOT_SEND;
	if (plan->pieces[slot->piece].fresh) {
		hang_up(slot, false);
		check_answers(slot, false);
		begin_connection(env, slot);
	}
}

static void slot_send(struct slots_env *env, struct slot *slot)
{
	const struct plan_piece *piece = &slot->plan.pieces[slot->piece];
	ssize_t len;

	while (slot->sent < piece->len) {
		len = send(slot->fd, slot->plan.data + slot->at + slot->sent,
			   piece->len - slot->sent, MSG_NOSIGNAL);
		if (len < 0 && errno == EAGAIN)
			return;
		/* What it said before it closed is still to be read. */
		if (len < 0)
			break;
		slot->sent += len;
		sent_bytes += len;
	}
	if (slot->piece < slot->plan.exact)
		slot->due += piece->answers;
	if (slot->sent < piece->len && slot->piece >= slot->plan.exact)
		slot->state = SLOT_END;
	else if (slot->answers < slot->due || slot->sent < piece->len)
		slot->state = SLOT_ANSWERS;
	else if (piece->hold)
		slot->state = SLOT_HOLD;
	else
		next_piece(env, slot);
}

static void count_answers(struct slot *slot)
{
	long size;

	while (slot->seen < slot->in_len) {
		size = answer_next(slot->in + slot->seen,
				   slot->in_len - slot->seen);
		if (size <= 0)
			break;
		slot->seen += size;
		slot->answers++;
	}
}

/* Return: false: the connection is over. */
static bool slot_read(struct slot *slot)
{
	ssize_t len;

	for (;;) {
		if (slot->in_len == SLOT_IN_MAX) {
			found(slot, "answers without end");
			slot_free(slot);
			return false;
		}
		len = recv(slot->fd, slot->in + slot->in_len,
			   SLOT_IN_MAX - slot->in_len, 0);
		if (len < 0 && errno == EAGAIN)
			break;
		if (len <= 0) {
			slot_over(slot, !len);
			return false;
		}
		slot->in_len += len;
	}
	count_answers(slot);
	return true;
}

/* After something has happened: as far as it goes. */
static void slot_go_on(struct slots_env *env, struct slot *slot)
{
	while (slot->state == SLOT_ANSWERS && slot->answers >= slot->due) {
		if (slot->plan.pieces[slot->piece].hold)
			slot->state = SLOT_HOLD;
		else
			next_piece(env, slot);
	}
	while (slot->state == SLOT_SEND) {
		int piece = slot->piece;
		size_t sent = slot->sent;

		slot_send(env, slot);
		if (slot->state == SLOT_SEND && slot->piece == piece &&
		    slot->sent == sent)
			break;
	}
}

static void slot_start(struct slots_env *env, struct slot *slot)
{
	if (!slot->in)
		slot->in = malloc(SLOT_IN_MAX);
	if (!slot->in)
		run_die("memory");
	slot->state = SLOT_SEND;
	slot->piece = 0;
	slot->sent = 0;
	slot->at = 0;
	slot->in_len = 0;
	slot->moved = run_now();
	if (begin_connection(env, slot))
		slot_go_on(env, slot);
}

/* Everybody has waited for the broker to read, since @newest: has it? */
static void release_held(struct slots_env *env, double newest)
{
	struct gauges now;
	bool all;
	int i;

	genl_gauges(env->nl, &now);
	all = now.bytes_received - read_before >= sent_bytes;
	if (!all && run_now() - newest < run.limit) {
		run_nap();
		return;
	}
	for (i = 0; i < SLOTS; i++) {
		if (slots[i].state != SLOT_HOLD)
			continue;
		if (!all)
			found(&slots[i], "the first part is not read");
		slots[i].moved = run_now();
		next_piece(env, &slots[i]);
		slot_go_on(env, &slots[i]);
	}
}

static void look_at(struct slots_env *env, struct slot *slot, int events)
{
	if (events) {
		slot->moved = run_now();
		if (events & (POLLIN | POLLHUP | POLLERR) && !slot_read(slot))
			return;
		slot_go_on(env, slot);
	} else if (slot->state != SLOT_HOLD &&
		   run_now() - slot->moved > run.limit) {
		found(slot, slot->state == SLOT_END ? "not closed" :
						      "no answer");
		slot_free(slot);
	}
}

/* Wait for what happens next. Return: how many clients are busy. */
static int slots_wait(struct slots_env *env)
{
	struct pollfd fds[SLOTS + 1];
	int i, busy = 0, held = 0;
	double newest = 0;

	for (i = 0; i < SLOTS; i++) {
		fds[i].fd = slots[i].state == SLOT_FREE ? -1 : slots[i].fd;
		fds[i].events = slots[i].state == SLOT_SEND ? POLLIN | POLLOUT :
							      POLLIN;
		fds[i].revents = 0;
		busy += slots[i].state != SLOT_FREE;
		held += slots[i].state == SLOT_HOLD;
		if (slots[i].state == SLOT_HOLD && slots[i].moved > newest)
			newest = slots[i].moved;
	}
	if (!busy)
		return 0;
	fds[SLOTS].fd = env->authority->fd;
	fds[SLOTS].events = POLLIN;
	fds[SLOTS].revents = 0;
	poll(fds, SLOTS + 1, busy == held ? 0 : 1000);
	if (fds[SLOTS].revents)
		authority_answer(env->authority);
	for (i = 0; i < SLOTS; i++)
		if (fds[i].fd >= 0)
			look_at(env, &slots[i], fds[i].revents);
	if (busy == held)
		release_held(env, newest);
	return busy;
}

unsigned int slots_run(struct slots_env *env, slots_next_t next, void *arg)
{
	struct gauges now;
	unsigned int nr = 0;
	bool more = true;
	int i;

	genl_gauges(env->nl, &now);
	read_before = now.bytes_received;
	sent_bytes = 0;
	do {
		for (i = 0; i < SLOTS && more; i++) {
			if (slots[i].state != SLOT_FREE)
				continue;
			more = next(&slots[i].plan, arg);
			if (more) {
				nr++;
				slot_start(env, &slots[i]);
			}
		}
	} while (slots_wait(env) || more);
	return nr;
}
