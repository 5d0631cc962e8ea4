/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_HASHTABLE_H
#define CONNFUZZ_LINUX_HASHTABLE_H

#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/log2.h>

#define DECLARE_HASHTABLE(name, bits)	struct hlist_head name[1 << (bits)]
#define HASH_BITS(name)			ilog2(ARRAY_SIZE(name))
#define hash_init(table)		memset(table, 0, sizeof(table))
#define hash_add(table, node, key)	\
	hlist_add_head(node, &(table)[hash_min(key, HASH_BITS(table))])
#define hash_del(node)			hlist_del(node)
#define hash_for_each_possible(table, obj, member, key)	\
	hlist_for_each_entry(obj, &(table)[hash_min(key, HASH_BITS(table))], member)
#define hash_for_each_possible_safe(table, obj, tmp, member, key)	\
	hlist_for_each_entry_safe(obj, tmp,				\
				  &(table)[hash_min(key, HASH_BITS(table))], member)

#endif
