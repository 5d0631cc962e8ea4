/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of the kernel's resizable hash table that kmod/core uses. An
 * insertion counts as an allocation that slab.h may let fail.
 */
#ifndef SHIM_LINUX_RHASHTABLE_H
#define SHIM_LINUX_RHASHTABLE_H

#include <linux/rcupdate.h>
#include <linux/types.h>

struct rhashtable;

struct rhash_head {
	struct rhash_head *next;
};

struct rhashtable_compare_arg {
	struct rhashtable *ht;
	const void *key;
};

typedef u32 (*rht_hashfn_t)(const void *data, u32 len, u32 seed);
typedef u32 (*rht_obj_hashfn_t)(const void *data, u32 len, u32 seed);
typedef int (*rht_obj_cmpfn_t)(struct rhashtable_compare_arg *arg,
			       const void *obj);

struct rhashtable_params {
	u16 key_len;
	u16 key_offset;
	u16 head_offset;
	unsigned int max_size;
	u16 min_size;
	bool automatic_shrinking;
	rht_hashfn_t hashfn;
	rht_obj_hashfn_t obj_hashfn;
	rht_obj_cmpfn_t obj_cmpfn;
};

struct rhashtable {
	struct rhashtable_params p;
	struct rhash_head **buckets;
	size_t nr_buckets;
	size_t nelems;
	u32 seed;
};

/* chain links looked at by all lookups so far */
extern unsigned long shim_hash_steps;

int rhashtable_init(struct rhashtable *ht,
		    const struct rhashtable_params *params);
void *rhashtable_lookup(struct rhashtable *ht, const void *key,
			const struct rhashtable_params params);
int rhashtable_insert_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params);
int rhashtable_remove_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params);
void rhashtable_free_and_destroy(struct rhashtable *ht,
				 void (*free_fn)(void *ptr, void *arg),
				 void *arg);

static inline void *rhashtable_lookup_fast(struct rhashtable *ht,
					   const void *key,
					   const struct rhashtable_params params)
{
	void *obj;

	rcu_read_lock();
	obj = rhashtable_lookup(ht, key, params);
	rcu_read_unlock();
	return obj;
}

#endif
