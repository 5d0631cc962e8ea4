// SPDX-License-Identifier: GPL-2.0
#include "life.h"
#include <linux/jiffies.h>
#include <linux/kmqtt.h>
#include <linux/slab.h>
#include "broker.h"
#include "netlink.h"
#include "control_ops.h"

static int loaded;

static void load(void *arg)
{
	(void)arg;
	loaded = shim_module_init();
}

static void listen_at_first(void *arg)
{
	(void)arg;
	/* Few packets make a habit here. */
	kmqtt_config_set(the_broker(), KMQTT_SET_EXPRESS_AFTER, 1);
	add_listener(PORT_OPEN, KMQTT_AUTH_OPEN);
	add_listener(PORT_AUTHORITY, KMQTT_AUTH_AUTHORITY);
	SHIM_CHECK(!kmqtt_authority_set(the_broker(), 1));
}

static void unload(void *arg)
{
	(void)arg;
	shim_module_exit();
}

static void nothing_is_left(void)
{
	SHIM_CHECK(!shim_nr_tasks() && !shim_nr_threads);
	SHIM_CHECK(!shim_nr_works());
	SHIM_CHECK(!shim_nr_timers());
	SHIM_CHECK(!shim_nr_callbacks());
	SHIM_CHECK(!shim_nr_queues);
	if (shim_live)
		shim_bug(__FILE__, __LINE__, "memory is leaked");
}

int life_begin(bool initial, u8 fail)
{
	shim_tasks_reset();
	shim_works_reset();
	shim_memory_reset();
	control_reset();
	ops_reset();
	published_reset();
	shim_load(initial);
	shim_fail_in = fail;
	shim_task(load, NULL);
	shim_run_all();
	if (loaded)
		nothing_is_left();
	return loaded;
}

void life_listen(void)
{
	shim_task(listen_at_first, NULL);
	shim_run_all();
}

void life_end(void)
{
	u32 i;

	shim_task(unload, NULL);
	for (i = 0; i < DEADLINE && shim_nr_tasks(); i++) {
		shim_run_all();
		shim_time_passes(HZ);
	}
	nothing_is_left();
}
