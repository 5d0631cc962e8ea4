/* SPDX-License-Identifier: GPL-2.0 */
/* Moderation: what is left to be sent together. */
#ifndef KMQTT_GATHER_H
#define KMQTT_GATHER_H

#include "datapath.h"

/* An io work of @conn is about to be queued on this CPU. Any context. */
void kmqtt_gather_expect(struct kmqtt_conn *conn);
/* It has begun. */
void kmqtt_gather_arrived(struct kmqtt_conn *conn);
/*
 * The end of an io work's run: send what it has, or leave it to the next one
 * of this CPU if there is one.
 */
void kmqtt_gather_end(struct kmqtt_run *run);
/*
 * Send what it has and what others have left, since it may take a while; if a queue
 * is half full, also what was left on other CPUs: its connection may be there.
 */
void kmqtt_gather_flush(struct kmqtt_run *run);

/*
 * Something has come for @conn: shall its io work wait for more, until the CPU has
 * time? Then it will be queued. Bottom halves disabled. Return: false: queue it.
 */
bool kmqtt_gather_input(struct kmqtt_conn *conn);
/* For how long (conn->burst_wait), if to send the last on has taken @took (jiffies)? */
u32 kmqtt_gather_wait(unsigned long took);
/* And if there was one only, but before it was @wait (ns)? */
u32 kmqtt_gather_forget(u32 wait);
/* Are there io works on this CPU that have not begun? Any context. */
bool kmqtt_gather_expects(void);
/*
 * Leave what @run, that handled a packet of @conn, has for subscribers until the CPU
 * has time (io). Bottom halves disabled. Return: true if it is alone there, and was
 * the last time.
 */
bool kmqtt_gather_leave_bh(struct kmqtt_conn *conn, struct kmqtt_run *run);
/* Has anybody left something on this CPU that is not sent yet? Any context. */
bool kmqtt_gather_waits(void);

int kmqtt_gather_init(void);
void kmqtt_gather_uninit(void);

#endif
