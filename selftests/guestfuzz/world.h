/* SPDX-License-Identifier: GPL-2.0 */
/* A network namespace to be ill-treated, with clients of all kinds in it. */
#ifndef GUESTFUZZ_WORLD_H
#define GUESTFUZZ_WORLD_H

#include "genl.h"

/* Enter a new namespace, loopback up, or the one the program began in. */
void world_enter(void);
void world_leave(void);

/*
 * Listeners 1 (open, REQUEST_PORT) and 2 (asks the authority), a client "here"
 * that is connected, a session "gone" that is not, and more subscriptions and
 * retained messages than fit one message of a dump.
 */
void world_populate(struct genl *nl);
/* Close what world_populate() has connected. */
void world_abandon(void);

/* Processes that go on by themselves in this namespace, and their end. */
void crowd_begin(uint64_t seed);
void crowd_end(void);

#endif
