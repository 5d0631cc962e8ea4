/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_WAIT_BIT_H
#define CONNFUZZ_LINUX_WAIT_BIT_H

#include <linux/atomic.h>

#define TASK_UNINTERRUPTIBLE	2

#define wait_on_bit_lock(word, bit, mode)				\
	shim_wait_until(!test_and_set_bit(bit, word))

static inline void clear_and_wake_up_bit(int bit, unsigned long *word)
{
	clear_bit_unlock(bit, word);
}

#endif
