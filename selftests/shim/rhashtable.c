// SPDX-License-Identifier: GPL-2.0
/* A hash table that grows and shrinks at once, for one thread. */
#include <assert.h>
#include <linux/errno.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#define FIRST_BUCKETS 64

unsigned long shim_hash_steps;

static void *rht_obj(const struct rhashtable *ht, struct rhash_head *head)
{
	return (char *)head - ht->p.head_offset;
}

static struct rhash_head **rht_bucket(struct rhashtable *ht, u32 hash)
{
	return &ht->buckets[hash % ht->nr_buckets];
}

static struct rhash_head **rht_obj_bucket(struct rhashtable *ht,
					  struct rhash_head *head)
{
	return rht_bucket(ht, ht->p.obj_hashfn(rht_obj(ht, head), 0, ht->seed));
}

int rhashtable_init(struct rhashtable *ht,
		    const struct rhashtable_params *params)
{
	assert(params->hashfn && params->obj_hashfn && params->obj_cmpfn);
	ht->p = *params;
	ht->nelems = 0;
	ht->seed = 0x5eed;
	ht->nr_buckets = FIRST_BUCKETS;
	ht->buckets = kzalloc(ht->nr_buckets * sizeof(*ht->buckets),
			      GFP_KERNEL);
	return ht->buckets ? 0 : -ENOMEM;
}

void *rhashtable_lookup(struct rhashtable *ht, const void *key,
			const struct rhashtable_params params)
{
	struct rhashtable_compare_arg arg = { .ht = ht, .key = key };
	struct rhash_head *head;

	head = *rht_bucket(ht, params.hashfn(key, params.key_len, ht->seed));
	for (; head; head = head->next) {
		shim_hash_steps++;
		if (!params.obj_cmpfn(&arg, rht_obj(ht, head)))
			return rht_obj(ht, head);
	}
	return NULL;
}

/* Resizing cannot fail for the caller: the kernel does it behind his back. */
static void rht_resize(struct rhashtable *ht, size_t nr)
{
	struct rhash_head **old = ht->buckets, *head, *next;
	size_t nr_old = ht->nr_buckets, i;

	ht->buckets = calloc(nr, sizeof(*ht->buckets));
	assert(ht->buckets);
	shim_live++;
	ht->nr_buckets = nr;
	for (i = 0; i < nr_old; i++) {
		for (head = old[i]; head; head = next) {
			next = head->next;
			head->next = *rht_obj_bucket(ht, head);
			*rht_obj_bucket(ht, head) = head;
		}
	}
	kfree(old);
}

int rhashtable_insert_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params)
{
	(void)params;
	shim_step();
	if (shim_fails())
		return -ENOMEM;
	if (++ht->nelems > ht->nr_buckets)
		rht_resize(ht, ht->nr_buckets * 2);
	obj->next = *rht_obj_bucket(ht, obj);
	*rht_obj_bucket(ht, obj) = obj;
	shim_step();
	return 0;
}

int rhashtable_remove_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params)
{
	struct rhash_head **at;

	shim_step();
	for (at = rht_obj_bucket(ht, obj); *at; at = &(*at)->next) {
		if (*at != obj)
			continue;
		*at = obj->next;
		ht->nelems--;
		if (params.automatic_shrinking &&
		    ht->nr_buckets > FIRST_BUCKETS &&
		    ht->nelems < ht->nr_buckets / 4)
			rht_resize(ht, ht->nr_buckets / 2);
		shim_step();
		return 0;
	}
	return -ENOENT;
}

void rhashtable_free_and_destroy(struct rhashtable *ht,
				 void (*free_fn)(void *ptr, void *arg),
				 void *arg)
{
	struct rhash_head *head, *next;
	size_t i;

	for (i = 0; i < ht->nr_buckets; i++) {
		for (head = ht->buckets[i]; head; head = next) {
			next = head->next;
			free_fn(rht_obj(ht, head), arg);
		}
	}
	kfree(ht->buckets);
}
