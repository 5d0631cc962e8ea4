/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_HASH_H
#define CONNFUZZ_LINUX_HASH_H

#include <linux/types.h>

static inline u32 hash_long(u64 value, unsigned int bits)
{
	return value * 0x61c8864680b583ebULL >> (64 - bits);
}

/* The address of a run is not that of the next: it must not decide. */
u32 shim_hash_ptr(const void *ptr, unsigned int bits);

#define hash_ptr		shim_hash_ptr
#define hash_min(value, bits)	hash_long(value, bits)

#endif
