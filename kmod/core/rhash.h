/* SPDX-License-Identifier: GPL-2.0 */
/* Inserting into a rhashtable that grows fast. */
#ifndef MQTT_RHASH_H
#define MQTT_RHASH_H

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/rhashtable.h>

/* Milliseconds to wait for a resize under way before giving up. */
#define MQTT_RHASH_PATIENCE	200

/**
 * mqtt_rhash_insert() - rhashtable_insert_fast() that waits for a resize
 *
 * Tens of thousands of insertions in a row outrun the table's own worker;
 * the insertion then fails with -EBUSY until it has caught up.
 * Context: process, may sleep. Return: 0 or the table's error.
 */
static __always_inline int
mqtt_rhash_insert(struct rhashtable *table, struct rhash_head *object,
		  const struct rhashtable_params params)
{
	int patience = MQTT_RHASH_PATIENCE, ret;

	while ((ret = rhashtable_insert_fast(table, object, params)) == -EBUSY &&
	       patience--)
		msleep(1);
	return ret;
}

#endif
