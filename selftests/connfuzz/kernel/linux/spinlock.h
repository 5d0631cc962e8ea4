/* SPDX-License-Identifier: GPL-2.0 */
/* Never waited for, see task.h; but never taken twice. */
#ifndef CONNFUZZ_LINUX_SPINLOCK_H
#define CONNFUZZ_LINUX_SPINLOCK_H

#include <linux/atomic.h>
#include <linux/lockdep.h>

typedef struct {
	bool held;
} spinlock_t;

typedef spinlock_t rwlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	shim_atomic_begin();
	SHIM_CHECK(!lock->held);
	lock->held = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	SHIM_CHECK(lock->held);
	lock->held = false;
	shim_atomic_end();
}

static inline bool spin_trylock(spinlock_t *lock)
{
	if (lock->held)
		return false;
	spin_lock(lock);
	return true;
}

static inline void spin_lock_bh(spinlock_t *lock)
{
	shim_bh_begin();
	spin_lock(lock);
}

static inline void spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock(lock);
	shim_bh_end();
}

#define spin_lock_irqsave(lock, flags)	((flags) = 0, spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags)	\
	((void)(flags), spin_unlock(lock))

#define read_lock_bh	spin_lock
#define read_unlock_bh	spin_unlock
#define write_lock_bh	spin_lock
#define write_unlock_bh	spin_unlock

#define local_bh_disable()	shim_bh_begin()
#define local_bh_enable()	shim_bh_end()

#endif
