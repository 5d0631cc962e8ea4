/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_MUTEX_H
#define CONNFUZZ_LINUX_MUTEX_H

#include <linux/atomic.h>
#include <linux/lockdep.h>

struct mutex {
	bool held;
};

static inline void mutex_init(struct mutex *lock)
{
	lock->held = false;
}

static inline void mutex_lock(struct mutex *lock)
{
	shim_wait_until(!lock->held);
	lock->held = true;
}

static inline void mutex_unlock(struct mutex *lock)
{
	SHIM_CHECK(lock->held);
	lock->held = false;
	shim_point();
}

static inline bool mutex_is_locked(const struct mutex *lock)
{
	return lock->held;
}

#endif
