/* SPDX-License-Identifier: GPL-2.0 */
/* Valid sessions, step by step, as they are written down. */
#ifndef GUESTFUZZ_SESSION_H
#define GUESTFUZZ_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_STEPS	24

/* Stands for the case's own name, so that no two cases meet on one topic. */
#define SESSION_TOKEN	"@@@@"
#define SESSION_TOKEN_LEN 4

/**
 * struct session_step - what a client says at once
 * @text: its packets, see bytes() of ../unit; behind '!' on a new connection
 * @answers: types of the packets that must come before it goes on, hexadecimal
 * @data: the packets
 * @len: their bytes
 */
struct session_step {
	const char *text;
	const char *answers;
	uint8_t *data;
	size_t len;
};

/**
 * struct session - a client's life
 * @name: for reports
 * @auth: at the listener that asks the authority
 * @loose: times are in the answers, which may differ between two runs
 * @steps: up to the first without @text
 * @nr: how many
 * @len: bytes of all
 */
struct session {
	const char *name;
	bool auth;
	bool loose;
	struct session_step steps[SESSION_STEPS];
	int nr;
	size_t len;
};

extern struct session sessions[];
extern const int nr_sessions;

/** struct packet - one valid or nearly valid packet, to be put in anywhere */
struct packet {
	uint8_t *data;
	size_t len;
};

extern struct packet *packets;
extern int nr_packets;

/* Text to bytes. */
void session_init(void);

#endif
