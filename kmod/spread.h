/* SPDX-License-Identifier: GPL-2.0 */
/* More than one processor for a fan-out. */
#ifndef KMQTT_SPREAD_H
#define KMQTT_SPREAD_H

#include "datapath.h"

/*
 * Connections from which on it is done: to call a helper costs what it takes to send
 * to one of them or two.
 */
#define KMQTT_SPREAD_MIN	128

/**
 * kmqtt_spread_begin() - have other processors begin to send
 * @run: whose, that goes on to mark connections; those that are marked are laid out,
 *	if they are many
 *
 * Context: process; does not sleep. The run ends with kmqtt_gather_end(),
 * kmqtt_gather_flush() or kmqtt_send_flush(), which send what no helper has come to.
 */
void kmqtt_spread_begin(struct kmqtt_run *run);

/**
 * kmqtt_spread_flush() - send to all marked connections with other processors
 * @run: whose; nothing is marked afterwards, but a helper, or another run of this CPU,
 *	may be at some of it
 *
 * Context: process, without a lock; may sleep.
 * Return: false: they are not many, or there is one processor: nothing was done.
 */
bool kmqtt_spread_flush(struct kmqtt_run *run);

/* Wait until helpers have sent what they have taken. Process context. */
void kmqtt_spread_wait(struct kmqtt_run *run);

int kmqtt_spread_init(void);
/* No run is left. */
void kmqtt_spread_uninit(void);

#endif
