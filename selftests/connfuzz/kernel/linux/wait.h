/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_WAIT_H
#define CONNFUZZ_LINUX_WAIT_H

#include "task.h"

typedef struct {
	bool ready;
} wait_queue_head_t;

static inline void init_waitqueue_head(wait_queue_head_t *wait)
{
	wait->ready = true;
}

/* Who waits looks by himself. */
static inline void wake_up(wait_queue_head_t *wait)
{
	SHIM_CHECK(wait->ready);
	shim_point();
}

#define wait_event(wait, condition)	shim_wait_until(condition)

#endif
