/* SPDX-License-Identifier: GPL-2.0 */
/* Clients side by side, each of which plays a plan, and what they are told. */
#ifndef GUESTFUZZ_SLOT_H
#define GUESTFUZZ_SLOT_H

#include "genl.h"
#include "plan.h"

/**
 * struct slots_env - where the plans are played
 * @nl: to ask how far the broker has read
 * @authority: its socket, whose questions are answered meanwhile
 * @port: of the open listener; the next one asks the authority
 */
struct slots_env {
	struct genl *nl;
	struct genl *authority;
	uint16_t port;
};

/* Fill in the next plan; return: false: there is none. */
typedef bool (*slots_next_t)(struct plan *plan, void *arg);

/* Play all there are. Return: how many. */
unsigned int slots_run(struct slots_env *env, slots_next_t next, void *arg);

/* A new connection to @port of this namespace, or -1. */
int slots_connect(uint16_t port);

/* "KMQTT_FUZZ_CASE=...": how to play it again. */
const char *slots_case(const struct plan *plan);

#endif
