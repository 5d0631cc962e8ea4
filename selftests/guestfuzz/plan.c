// SPDX-License-Identifier: GPL-2.0
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "answer.h"
#include "run.h"

/* What can be done at one byte; the last three adjust the packet's length. */
enum {
	FLIP_FIRST, FLIP_LAST = 7, SET_0, SET_FF, INCREASE, DECREASE, INSERT_0,
	INSERT_FF, DOUBLE, DELETE, SWAP, FIT_INSERT, FIT_DOUBLE, FIT_DELETE,
	NR_CHANGES,
};

static const char *const change_names[NR_CHANGES] = {
	"bit 0 flipped", "bit 1 flipped", "bit 2 flipped", "bit 3 flipped",
	"bit 4 flipped", "bit 5 flipped", "bit 6 flipped", "bit 7 flipped",
	"set to 0", "set to 0xff", "increased", "decreased", "0 inserted",
	"0xff inserted", "doubled", "deleted", "swapped with the next",
	"0 inserted, length fits", "doubled, length fits",
	"deleted, length fits",
};

/* A step and what is put in beside it; changes take the rest. */
#define STEP_BYTES	1024

/* How each byte can be the last of a write, of a stream. */
#define NR_SPLITS	2
#define NR_CUTS		3

static size_t session_bytes(void)
{
	size_t sum = 0;
	int i;

	for (i = 0; i < nr_sessions; i++)
		sum += sessions[i].len;
	return sum;
}

uint64_t plan_count(enum plan_kind kind)
{
	switch (kind) {
	case PLAN_WHOLE:
		return nr_sessions;
	case PLAN_SPLIT:
		return session_bytes() * NR_SPLITS + nr_sessions;
	case PLAN_CUT:
		return session_bytes() * NR_CUTS;
	case PLAN_BYTE:
		return session_bytes() * NR_CHANGES;
	default:
		return 0;
	}
}

/** struct place - a byte of a session */
struct place {
	const struct session *session;
	int step;
	size_t byte;
};

static struct place place_of(size_t at)
{
	struct place place = { .session = sessions };

	while (at >= place.session->len)
		at -= place.session++->len;
	while (at >= place.session->steps[place.step].len)
		at -= place.session->steps[place.step++].len;
	place.byte = at;
	return place;
}

static struct plan_piece *add_piece(struct plan *plan, const void *data,
				    size_t len)
{
	struct plan_piece *piece = &plan->pieces[plan->nr];

	if (plan->nr == PLAN_PIECES || plan->len + len > PLAN_BYTES) {
		fprintf(stderr, "a plan is too long\n");
		abort();
	}
	memset(piece, 0, sizeof(*piece));
	memcpy(plan->data + plan->len, data, len);
	piece->len = len;
	plan->len += len;
	plan->nr++;
	return piece;
}

static bool is_fresh(const struct session_step *step)
{
	return *step->text == '!';
}

static void add_step(struct plan *plan, const struct session_step *step)
{
	struct plan_piece *piece = add_piece(plan, step->data, step->len);

	piece->answers = strlen(step->answers);
	piece->fresh = is_fresh(step);
}

static void add_steps(struct plan *plan, int from, int to)
{
	for (; from < to; from++)
		add_step(plan, &plan->session->steps[from]);
}

static void plan_start(struct plan *plan, enum plan_kind kind, uint64_t number,
		       const struct session *session)
{
	plan->kind = kind;
	plan->number = number;
	plan->session = session;
	plan->end = PLAN_HALF;
	plan->same = false;
	plan->exact = 0;
	plan->nr = 0;
	plan->len = 0;
	plan->text[0] = '\0';
}

static void plan_place(struct plan *plan, const struct place *place,
		       const char *what)
{
	snprintf(plan->text, sizeof(plan->text), "step %d, byte %zu (0x%02x): %s",
		 place->step, place->byte,
		 place->session->steps[place->step].data[place->byte], what);
}

/* The session as it is, but for how it is cut into writes. */
static void plan_as_written(struct plan *plan)
{
	plan->exact = plan->nr;
	plan->same = true;
	plan->end = PLAN_READ;
}

static bool make_whole(struct plan *plan, uint64_t number)
{
	plan_start(plan, PLAN_WHOLE, number, &sessions[number]);
	add_steps(plan, 0, plan->session->nr);
	plan_as_written(plan);
	return true;
}

static void make_dribble(struct plan *plan, uint64_t number)
{
	const struct session_step *step;
	struct plan_piece *piece = NULL;
	size_t i;
	int s;

	plan_start(plan, PLAN_SPLIT, number,
		   &sessions[number - session_bytes() * NR_SPLITS]);
	snprintf(plan->text, sizeof(plan->text), "byte by byte");
	for (s = 0; s < plan->session->nr; s++) {
		step = &plan->session->steps[s];
		for (i = 0; i < step->len; i++) {
			piece = add_piece(plan, step->data + i, 1);
			piece->fresh = !i && is_fresh(step);
			/* It reads half a fixed header at least once. */
			piece->hold = !i;
		}
		piece->answers = strlen(step->answers);
	}
	plan_as_written(plan);
}

static bool make_split(struct plan *plan, uint64_t number)
{
	const struct session_step *step;
	struct plan_piece *first, *second;
	struct place place;

	if (number >= session_bytes() * NR_SPLITS) {
		make_dribble(plan, number);
		return true;
	}
	place = place_of(number / NR_SPLITS);
	step = &place.session->steps[place.step];
	if (!place.byte)
		return false;
	plan_start(plan, PLAN_SPLIT, number, place.session);
	plan_place(plan, &place, number % NR_SPLITS ?
		   "begins a second write, the first one read" :
		   "begins a second write");
	add_steps(plan, 0, place.step);
	first = add_piece(plan, step->data, place.byte);
	first->fresh = is_fresh(step);
	first->hold = number % NR_SPLITS;
	second = add_piece(plan, step->data + place.byte,
			   step->len - place.byte);
	second->answers = strlen(step->answers);
	add_steps(plan, place.step + 1, place.session->nr);
	plan_as_written(plan);
	return true;
}

static bool make_cut(struct plan *plan, uint64_t number)
{
	static const char *const how[NR_CUTS] = {
		"half closed before it", "closed before it", "reset before it",
	};
	const struct session_step *step;
	struct plan_piece *piece;
	struct place place;

	place = place_of(number / NR_CUTS);
	step = &place.session->steps[place.step];
	plan_start(plan, PLAN_CUT, number, place.session);
	plan_place(plan, &place, how[number % NR_CUTS]);
	add_steps(plan, 0, place.step);
	plan->exact = plan->nr;
	piece = add_piece(plan, step->data, place.byte);
	piece->fresh = is_fresh(step);
	plan->end = PLAN_HALF + number % NR_CUTS;
	return true;
}

/* Where the packet begins that has the byte @at; its fixed header in @head. */
static size_t packet_at(const uint8_t *data, size_t len, size_t at,
			size_t *head)
{
	size_t begin = 0;
	long size;

	for (;;) {
		size = answer_next(data + begin, len - begin);
		if (size <= 0 || at < begin + size)
			break;
		begin += size;
	}
	*head = begin + 2;
	return begin;
}

/* Adjust a packet's length by @by. Return: false: not in one byte. */
static bool fit_length(uint8_t *data, size_t len, size_t at, int by)
{
	size_t head, begin = packet_at(data, len, at, &head);

	if (head > at || data[begin + 1] + by > 127 || data[begin + 1] & 0x80)
		return false;
	data[begin + 1] += by;
	return true;
}

static void open_gap(uint8_t *data, size_t *len, size_t at, uint8_t value)
{
	memmove(data + at + 1, data + at, *len - at);
	data[at] = value;
	++*len;
}

static void close_gap(uint8_t *data, size_t *len, size_t at)
{
	memmove(data + at, data + at + 1, *len - at - 1);
	--*len;
}

/* There is room for one byte more. Return: false: nothing was changed. */
static bool change(uint8_t *data, size_t *len, size_t at, int what)
{
	uint8_t old = data[at];

	switch (what) {
	case FLIP_FIRST ... FLIP_LAST:
		data[at] ^= 1 << what;
		return true;
	case SET_0:
		data[at] = 0;
		return old;
	case SET_FF:
		data[at] = 0xff;
		return old != 0xff;
	case INCREASE:
		data[at]++;
		return true;
	case DECREASE:
		data[at]--;
		return true;
	case FIT_INSERT:
	case FIT_DOUBLE:
		if (!fit_length(data, *len, at, 1))
			return false;
		/* fall through */
	case INSERT_0:
	case INSERT_FF:
	case DOUBLE:
		open_gap(data, len, at, what == INSERT_FF ? 0xff :
			 what == DOUBLE || what == FIT_DOUBLE ? old : 0);
		return true;
	case FIT_DELETE:
		if (!fit_length(data, *len, at, -1))
			return false;
		/* fall through */
	case DELETE:
		close_gap(data, len, at);
		return true;
	default:
		if (at + 1 == *len || data[at + 1] == old)
			return false;
		data[at] = data[at + 1];
		data[at + 1] = old;
		return true;
	}
}

/* The rest of a session without waiting for any answer. */
static void add_rest(struct plan *plan, int step)
{
	const struct session *session = plan->session;

	for (; step < session->nr; step++) {
		add_step(plan, &session->steps[step]);
		plan->pieces[plan->nr - 1].answers = 0;
	}
}

static bool make_byte(struct plan *plan, uint64_t number)
{
	struct place place = place_of(number / NR_CHANGES);
	const struct session_step *step;
	uint8_t buf[STEP_BYTES];
	size_t len;

	step = &place.session->steps[place.step];
	len = step->len;
	memcpy(buf, step->data, len);
	if (!change(buf, &len, place.byte, number % NR_CHANGES))
		return false;
	plan_start(plan, PLAN_BYTE, number, place.session);
	plan_place(plan, &place, change_names[number % NR_CHANGES]);
	add_steps(plan, 0, place.step);
	plan->exact = plan->nr;
	add_piece(plan, buf, len)->fresh = is_fresh(step);
	add_rest(plan, place.step + 1);
	return true;
}

static size_t append(uint8_t *buf, size_t len, const uint8_t *data, size_t more)
{
	if (len + more > STEP_BYTES / 2)
		return len;
	memcpy(buf + len, data, more);
	return len + more;
}

/* One step, damaged: packets put in, left out, repeated; bytes changed. */
static size_t damage(uint8_t *buf, const struct session_step *step,
		     uint64_t *state)
{
	const struct packet *packet;
	size_t len = 0;
	int copies, i;

	if (rnd_one_in(state, 3)) {
		packet = &packets[rnd_below(state, nr_packets)];
		len = append(buf, len, packet->data, packet->len);
	}
	copies = rnd_one_in(state, 8) ? rnd_below(state, 3) : 1;
	while (copies--)
		len = append(buf, len, step->data, step->len);
	for (i = rnd_below(state, 4); i && len > 1; i--)
		change(buf, &len, rnd_below(state, len),
		       rnd_below(state, NR_CHANGES));
	return len;
}

static bool make_random(struct plan *plan, uint64_t number)
{
	static const enum plan_end ends[] = {
		PLAN_HALF, PLAN_HALF, PLAN_HALF, PLAN_CLOSE, PLAN_RESET,
	};
	const struct session_step *step;
	struct plan_piece *piece;
	uint8_t buf[STEP_BYTES];
	uint64_t state = number;
	size_t len, part;
	int i;

	plan_start(plan, PLAN_RANDOM, number,
		   &sessions[rnd_below(&state, nr_sessions)]);
	i = rnd_below(&state, plan->session->nr);
	snprintf(plan->text, sizeof(plan->text), "at random from step %d", i);
	add_steps(plan, 0, i);
	plan->exact = plan->nr;
	for (; i < plan->session->nr && plan->len < PLAN_BYTES / 2; i++) {
		step = &plan->session->steps[i];
		len = damage(buf, step, &state);
		part = rnd_one_in(&state, 3) ? rnd_below(&state, len + 1) : len;
		piece = add_piece(plan, buf, part);
		piece->fresh = is_fresh(step);
		if (part < len)
			add_piece(plan, buf + part, len - part);
	}
	plan->end = ends[rnd_below(&state, sizeof(ends) / sizeof(ends[0]))];
	return true;
}

bool plan_make(struct plan *plan, enum plan_kind kind, uint64_t number)
{
	switch (kind) {
	case PLAN_WHOLE:
		return make_whole(plan, number % plan_count(kind));
	case PLAN_SPLIT:
		return make_split(plan, number % plan_count(kind));
	case PLAN_CUT:
		return make_cut(plan, number % plan_count(kind));
	case PLAN_BYTE:
		return make_byte(plan, number % plan_count(kind));
	default:
		return make_random(plan, number);
	}
}

void plan_name(struct plan *plan, const char token[SESSION_TOKEN_LEN])
{
	uint8_t *at = plan->data, *end = plan->data + plan->len;

	memcpy(plan->name, token, SESSION_TOKEN_LEN);
	while ((at = memmem(at, end - at, SESSION_TOKEN, SESSION_TOKEN_LEN)))
		memcpy(at, token, SESSION_TOKEN_LEN);
}
