/* SPDX-License-Identifier: GPL-2.0 */
/* Messages that several connections are sent alike, side by side in pages. */
#ifndef KMQTT_STRIP_H
#define KMQTT_STRIP_H

#include <linux/types.h>

struct kmqtt_batch;
struct kmqtt_conn;
struct kmqtt_laid;
struct kmqtt_run;

/**
 * kmqtt_strip_encode() - kmqtt_batch_encode(), or less if it has been done before
 * @run: that sends to @conn and to those on its flush list
 * @conn: whose
 * @batch: has its items
 * @gfp: how to allocate
 *
 * Tx owner, any context that @gfp is for. Return: as kmqtt_batch_encode().
 */
int kmqtt_strip_encode(struct kmqtt_run *run, struct kmqtt_conn *conn,
		       struct kmqtt_batch *batch, gfp_t gfp);

/* @laid, of a batch, is sent, or never will be. Any context. */
void kmqtt_laid_put(struct kmqtt_laid *laid);

/* It may be long until nothing else is sent by @run: drop what is old. */
void kmqtt_strip_age(struct kmqtt_run *run);

/* Nothing else is sent by @run. Any context. */
void kmqtt_strip_drop(struct kmqtt_run *run);

#endif
