/* SPDX-License-Identifier: GPL-2.0 */
/* More than one processor for a fan-out. */
#ifndef KMQTT_SPREAD_H
#define KMQTT_SPREAD_H

#include "datapath.h"

/**
 * kmqtt_spread_flush() - send to all marked connections with other processors
 * @run: whose; nothing is marked afterwards, but a helper may be at some of it
 *
 * Context: process, without a lock; may sleep.
 * Return: false: they are not many, or there is one processor: nothing was done.
 */
bool kmqtt_spread_flush(struct kmqtt_run *run);

/* Wait until helpers have sent what they have taken. Process context. */
void kmqtt_spread_wait(void);

int kmqtt_spread_init(void);
/* No run is left. */
void kmqtt_spread_uninit(void);

#endif
