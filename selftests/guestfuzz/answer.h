/* SPDX-License-Identifier: GPL-2.0 */
/* What a broker says, read by somebody who shares no code with it. */
#ifndef GUESTFUZZ_ANSWER_H
#define GUESTFUZZ_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The packet's bytes at the start of @data, 0: incomplete, -1: there is none. */
long answer_next(const uint8_t *data, size_t len);

/**
 * answer_wrong() - does all of it follow the standard?
 * @data: what a broker has sent on one connection
 * @len: bytes
 * @version: 3, 4 or 5; 0: its CONNECT has no known one
 * @whole: the stream has an orderly end, not in the middle of a packet
 *
 * Return: what is wrong, or NULL.
 */
const char *answer_wrong(const uint8_t *data, size_t len, int version,
			 bool whole);

/* The version that a client's first bytes ask for, or 0. */
int answer_version(const uint8_t *data, size_t len);

#endif
