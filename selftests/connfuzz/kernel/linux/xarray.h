/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_XARRAY_H
#define CONNFUZZ_LINUX_XARRAY_H

#include <linux/types.h>

#define XA_FLAGS_ALLOC1		1
#define XA_FLAGS_LOCK_BH	0
#define XA_CHUNK_SIZE		64
#define XA_LIMIT(min, max)	((struct xa_limit){ .lo = min, .hi = max })

struct xa_limit {
	u32 lo;
	u32 hi;
};

/* Of the size that one has. */
struct xa_node {
	u8 bytes[576];
};

struct xa_item {
	u32 index;
	void *entry;
};

struct xarray {
	struct xa_item *items;
	u32 nr;
	u32 size;
};

static inline void xa_init(struct xarray *xa)
{
	*xa = (struct xarray){};
}

static inline void xa_init_flags(struct xarray *xa, unsigned int flags)
{
	(void)flags;
	xa_init(xa);
}

static inline void *xa_mk_value(unsigned long value)
{
	return (void *)(value << 1 | 1);
}

int xa_err(const void *entry);
void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
#define xa_store_bh	xa_store
#define xa_erase_bh	xa_erase
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry,
		    struct xa_limit limit, u32 *next, gfp_t gfp);
void xa_destroy(struct xarray *xa);

#endif
