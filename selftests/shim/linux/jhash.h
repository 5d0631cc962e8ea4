/* SPDX-License-Identifier: GPL-2.0 */
/* Any hash will do here; this one is FNV-1a with a seed. */
#ifndef SHIM_LINUX_JHASH_H
#define SHIM_LINUX_JHASH_H

#include <linux/types.h>

static inline u32 jhash(const void *key, u32 length, u32 initval)
{
	const u8 *at = key;
	u64 hash = 0xcbf29ce484222325ULL ^ initval * 0x9e3779b97f4a7c15ULL;

	while (length--)
		hash = (hash ^ *at++) * 0x100000001b3ULL;
	hash ^= hash >> 29;
	return hash ^ hash >> 32;
}

#endif
