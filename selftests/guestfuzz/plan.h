/* SPDX-License-Identifier: GPL-2.0 */
/* Cases: what is done to a session, made from a number. */
#ifndef GUESTFUZZ_PLAN_H
#define GUESTFUZZ_PLAN_H

#include "session.h"

#define PLAN_BYTES	8192
#define PLAN_PIECES	1024

/** enum plan_kind - families of cases, by the letter in their names */
enum plan_kind {
	PLAN_WHOLE = 'w',	/* as it is written */
	PLAN_SPLIT = 's',	/* in two pieces, or byte by byte */
	PLAN_CUT = 'c',		/* ends in the middle */
	PLAN_BYTE = 'b',	/* one change at one byte */
	PLAN_RANDOM = 'r',	/* changes by a seed */
};

/** enum plan_end - what the client does when all is said */
enum plan_end {
	PLAN_READ,		/* waits for the broker to close */
	PLAN_HALF,		/* ends its direction, and reads on */
	PLAN_CLOSE,
	PLAN_RESET,
};

/**
 * struct plan_piece - one write
 * @len: bytes, behind those of the pieces before
 * @answers: packets to wait for afterwards
 * @hold: wait afterwards until the broker has read it
 * @fresh: on a new connection
 */
struct plan_piece {
	uint32_t len;
	uint16_t answers;
	bool hold;
	bool fresh;
};

/**
 * struct plan - one case
 * @exact: so many pieces are sent as they must be: their answers must come
 * @name: stands where the session has SESSION_TOKEN
 * @same: the answers are those of the session as it is written
 */
struct plan {
	enum plan_kind kind;
	uint64_t number;
	const struct session *session;
	char text[160];
	char name[SESSION_TOKEN_LEN];
	enum plan_end end;
	bool same;
	int exact;
	int nr;
	struct plan_piece pieces[PLAN_PIECES];
	uint8_t data[PLAN_BYTES];
	size_t len;
};

/* How many cases there are of a kind; 0: without end. */
uint64_t plan_count(enum plan_kind kind);
/* Return: false: this number changes nothing. */
bool plan_make(struct plan *plan, enum plan_kind kind, uint64_t number);
/* Put in the name of a case in place of SESSION_TOKEN. */
void plan_name(struct plan *plan, const char token[SESSION_TOKEN_LEN]);

#endif
