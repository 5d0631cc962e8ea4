/* SPDX-License-Identifier: GPL-2.0 */
/* Netlink requests, valid ones and what becomes of them. */
#ifndef GUESTFUZZ_REQUEST_H
#define GUESTFUZZ_REQUEST_H

#include "genl.h"

#define REQUEST_FIELDS	24

/* The listener that requests name, made before any of them is sent. */
#define REQUEST_PORT	18900

/**
 * struct field - an attribute
 * @type: with its flags
 * @depth: a nested one's attributes stand behind it, one deeper
 * @lie: what its length says beside the truth
 * @len: bytes
 * @data: they
 */
struct field {
	uint16_t type;
	uint8_t depth;
	int32_t lie;
	uint32_t len;
	const void *data;
};

/**
 * struct request - before it is bytes
 * @cmd: command
 * @dump: it is one
 * @error: what a valid one is answered with when it is sent in its turn
 */
struct request {
	uint8_t cmd;
	bool dump;
	int error;
	int nr;
	struct field fields[REQUEST_FIELDS];
};

extern const struct request requests[];
extern const int nr_requests;

/* Valid requests with one change: how many, and one of them as bytes. */
uint64_t request_cases(void);
/* Return: false: it is as it was. @what: says what was done, 96 bytes. */
bool request_case(struct genl *nl, struct genl_msg *msg, uint64_t number,
		  char *what);
/* One with some changes, put behind what is in @msg. */
void request_random(struct genl *nl, struct genl_msg *msg, uint64_t *state);

/* A request as it is written. */
void request_put(struct genl *nl, struct genl_msg *msg,
		 const struct request *req);

#endif
