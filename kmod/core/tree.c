// SPDX-License-Identifier: GPL-2.0
/*
 * The topic tree. Walks keep no stack: a node knows its parent, and how many
 * bytes of the topic led to it, so going up is arithmetic.
 *
 * Lifetimes: a node is unlinked under the owner's mutex, keeps all its
 * pointers, and is freed after an SRCU grace period. That is enough for the
 * hash chains as well, although rhashtable reads them under RCU: every lookup
 * here runs either inside the SRCU section or under the mutex, where nothing
 * is unlinked, and rhashtable's own resizing holds the bucket lock that
 * unlinking takes. What the RCU section around a lookup keeps alive is the
 * bucket table, which a resize replaces.
 */
#include "tree.h"
#include "rhash.h"
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jhash.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Nodes between two cond_resched(): some ten microseconds on a small core. */
#define MQTT_TREE_BREATH 256

/**
 * struct mqtt_key - what a node is found by
 * @parent: node above
 * @level: not terminated
 * @len: bytes in @level
 */
struct mqtt_key {
	const struct mqtt_node *parent;
	const u8 *level;
	u32 len;
};

static __always_inline u32 mqtt_key_hash(const struct mqtt_node *parent,
					 const u8 *level, u32 len, u32 seed)
{
	u64 above = (unsigned long)parent;

	return jhash(level, len, seed ^ (u32)above ^ (u32)(above >> 32));
}

static u32 mqtt_node_hash_key(const void *data, u32 len, u32 seed)
{
	const struct mqtt_key *key = data;

	return mqtt_key_hash(key->parent, key->level, key->len, seed);
}

static u32 mqtt_node_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct mqtt_node *node = data;

	return mqtt_key_hash(node->parent, node->level, node->len, seed);
}

/* memcmp() of a constant length is a load and a comparison, not a call. */
static __always_inline bool mqtt_level_same(const u8 *a, const u8 *b, u32 len)
{
	for (; len >= 8; len -= 8, a += 8, b += 8)
		if (memcmp(a, b, 8))
			return false;
	if (len & 4) {
		if (memcmp(a, b, 4))
			return false;
		a += 4;
		b += 4;
	}
	if (len & 2) {
		if (memcmp(a, b, 2))
			return false;
		a += 2;
		b += 2;
	}
	return !(len & 1) || *a == *b;
}

static int mqtt_node_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct mqtt_key *key = arg->key;
	const struct mqtt_node *node = obj;

	return node->parent != key->parent || node->len != key->len ||
	       !mqtt_level_same(node->level, key->level, key->len);
}

/* Constant, so that lookups are inlined without an indirect call. */
static const struct rhashtable_params mqtt_tree_params = {
	.key_len = sizeof(struct mqtt_key),
	.head_offset = offsetof(struct mqtt_node, hash),
	.automatic_shrinking = true,
	.hashfn = mqtt_node_hash_key,
	.obj_hashfn = mqtt_node_hash_obj,
	.obj_cmpfn = mqtt_node_cmp,
};

/* What the allocator takes for a node, by the sizes its caches have. */
static size_t mqtt_node_size(u32 len)
{
	size_t need = sizeof(struct mqtt_node) + len, size = 64;

	if (need > 128 && need <= 192)
		return 192;
	while (size < need)
		size *= 2;
	return size;
}

static bool mqtt_node_is(const struct mqtt_node *node, u8 wildcard)
{
	return node->len == 1 && node->level[0] == wildcard;
}

/*
 * Most levels of most topics have one child, and it is there without the hash
 * table. If the first child is another one, that says nothing.
 */
static struct mqtt_node *mqtt_node_child(struct mqtt_tree *tree,
					 struct mqtt_node *parent,
					 const u8 *level, u32 len)
{
	struct mqtt_key key = { parent, level, len };
	struct mqtt_node *first;

	first = list_next_or_null_rcu(&parent->children, &parent->children,
				      struct mqtt_node, sibling);
	if (first && first->len == len &&
	    mqtt_level_same(first->level, level, len))
		return first;
	return rhashtable_lookup_fast(&tree->nodes, &key, mqtt_tree_params);
}

static struct mqtt_node *mqtt_node_wildcard(struct mqtt_tree *tree,
					    struct mqtt_node __rcu *const *slot)
{
	return srcu_dereference_check(*slot, tree->srcu,
				      lockdep_is_held(tree->lock));
}

/*
 * A place in a topic is the offset of the level that comes next; behind the
 * last level it is the length plus one, as if a slash ended every level.
 * Return: the end of the level that begins at @pos.
 */
static u32 mqtt_level_end(const struct mqtt_str *topic, u32 pos)
{
	while (pos < topic->len && topic->data[pos] != '/')
		pos++;
	return pos;
}

static void mqtt_tree_breathe(u32 *steps)
{
	if (!(++*steps % MQTT_TREE_BREATH))
		cond_resched();
}

int mqtt_tree_init(struct mqtt_tree *tree, struct mutex *lock,
		   struct srcu_struct *srcu, size_t bytes_max)
{
	int ret;

	tree->root = kzalloc(sizeof(*tree->root), GFP_KERNEL);
	if (!tree->root)
		return -ENOMEM;
	INIT_LIST_HEAD(&tree->root->children);
	INIT_LIST_HEAD(&tree->root->sibling);
	INIT_HLIST_HEAD(&tree->root->entries);
	tree->lock = lock;
	tree->srcu = srcu;
	tree->nr_nodes = 0;
	tree->bytes = 0;
	tree->bytes_max = bytes_max;
	tree->charge = NULL;
	ret = rhashtable_init(&tree->nodes, &mqtt_tree_params);
	if (ret) {
		kfree(tree->root);
		tree->root = NULL;
	}
	return ret;
}

static void mqtt_node_free(void *node, void *arg)
{
	kvfree(node);
}

void mqtt_tree_destroy(struct mqtt_tree *tree)
{
	rhashtable_free_and_destroy(&tree->nodes, mqtt_node_free, NULL);
	if (tree->charge && tree->bytes)
		tree->charge(tree, tree->bytes, false);
	kfree(tree->root);
	tree->root = NULL;
	tree->nr_nodes = 0;
	tree->bytes = 0;
}

static void mqtt_node_release(struct mqtt_node *node)
{
	struct mqtt_tree *tree = node->tree;
	size_t size = mqtt_node_size(node->len);

	kvfree(node);
	if (tree->charge)
		tree->charge(tree, size, false);
}

/* The tree may have been destroyed, but is still there. */
static void mqtt_node_free_rcu(struct rcu_head *rcu)
{
	mqtt_node_release(container_of(rcu, struct mqtt_node, rcu));
}

/* Readers look at the count first, so it is never too low for a child. */
static void mqtt_node_count(struct mqtt_tree *tree, struct mqtt_node *node,
			    int nr)
{
	size_t size = mqtt_node_size(node->len);

	WRITE_ONCE(tree->nr_nodes, tree->nr_nodes + nr);
	WRITE_ONCE(tree->bytes, nr > 0 ? tree->bytes + size :
					 tree->bytes - size);
	if (!mqtt_node_is(node, '+') && !mqtt_node_is(node, '#'))
		WRITE_ONCE(node->parent->nr_exact, node->parent->nr_exact + nr);
}

static struct mqtt_node *mqtt_node_new(struct mqtt_tree *tree,
				       struct mqtt_node *parent,
				       const u8 *level, u32 len)
{
	size_t size = mqtt_node_size(len);
	struct mqtt_node *node;

	if (len > MQTT_STRING_MAX || tree->bytes_max < size ||
	    tree->bytes > tree->bytes_max - size)
		return ERR_PTR(-ENOMEM);
	if (tree->charge && !tree->charge(tree, size, true))
		return ERR_PTR(-ENOMEM);
	node = kvmalloc(sizeof(*node) + len, GFP_KERNEL | __GFP_NOWARN);
	if (!node) {
		if (tree->charge)
			tree->charge(tree, size, false);
		return ERR_PTR(-ENOMEM);
	}
	memset(node, 0, sizeof(*node));
	node->tree = tree;
	node->parent = parent;
	INIT_LIST_HEAD(&node->children);
	INIT_HLIST_HEAD(&node->entries);
	node->len = len;
	memcpy(node->level, level, len);

	mqtt_node_count(tree, node, 1);
	if (mqtt_rhash_insert(&tree->nodes, &node->hash,
			      mqtt_tree_params)) {
		mqtt_node_count(tree, node, -1);
		mqtt_node_release(node);
		return ERR_PTR(-ENOMEM);
	}
	/* In front: a walk that is under way does not meet its like again. */
	list_add_rcu(&node->sibling, &parent->children);
	if (mqtt_node_is(node, '+'))
		rcu_assign_pointer(parent->plus, node);
	else if (mqtt_node_is(node, '#'))
		rcu_assign_pointer(parent->multi, node);
	return node;
}

/* A reader that is on @node finds its way on: no pointer of it changes. */
static void mqtt_node_unlink(struct mqtt_tree *tree, struct mqtt_node *node)
{
	if (mqtt_node_is(node, '+'))
		RCU_INIT_POINTER(node->parent->plus, NULL);
	else if (mqtt_node_is(node, '#'))
		RCU_INIT_POINTER(node->parent->multi, NULL);
	list_del_rcu(&node->sibling);
	rhashtable_remove_fast(&tree->nodes, &node->hash, mqtt_tree_params);
	mqtt_node_count(tree, node, -1);
	node->dead = true;
	call_srcu(tree->srcu, &node->rcu, mqtt_node_free_rcu);
}

/* Unlink upwards from @node, as far as nothing is there, but not @stop. */
static void mqtt_tree_prune_below(struct mqtt_tree *tree,
				  struct mqtt_node *node,
				  const struct mqtt_node *stop)
{
	struct mqtt_node *parent;
	u32 steps = 0;

	while (node != stop && !node->dead && hlist_empty(&node->entries) &&
	       list_empty(&node->children)) {
		parent = node->parent;
		mqtt_node_unlink(tree, node);
		node = parent;
		mqtt_tree_breathe(&steps);
	}
}

void mqtt_tree_prune(struct mqtt_tree *tree, struct mqtt_node *node)
{
	lockdep_assert_held(tree->lock);

	mqtt_tree_prune_below(tree, node, tree->root);
}

struct mqtt_node *mqtt_tree_get(struct mqtt_tree *tree,
				const struct mqtt_str *topic)
{
	struct mqtt_node *node = tree->root, *old = NULL, *child;
	u32 pos, end, steps = 0;

	lockdep_assert_held(tree->lock);

	for (pos = 0; pos <= topic->len; pos = end + 1) {
		end = mqtt_level_end(topic, pos);
		child = old ? NULL : mqtt_node_child(tree, node,
						     topic->data + pos,
						     end - pos);
		if (!child) {
			/* Below a new node there is nothing to look for. */
			if (!old)
				old = node;
			child = mqtt_node_new(tree, node, topic->data + pos,
					      end - pos);
			if (IS_ERR(child)) {
				mqtt_tree_prune_below(tree, node, old);
				return child;
			}
		}
		node = child;
		mqtt_tree_breathe(&steps);
	}
	return node;
}

struct mqtt_node *mqtt_tree_find(struct mqtt_tree *tree,
				 const struct mqtt_str *topic)
{
	struct mqtt_node *node = tree->root;
	u32 pos, end;

	for (pos = 0; node && pos <= topic->len; pos = end + 1) {
		end = mqtt_level_end(topic, pos);
		node = mqtt_node_child(tree, node, topic->data + pos,
				       end - pos);
	}
	return node;
}

static int mqtt_node_visit(struct mqtt_node *node, mqtt_visit_t visit,
			   void *arg)
{
	return hlist_empty(&node->entries) ? 0 : visit(node, arg);
}

/**
 * mqtt_name_up() - leave a node of a match, for the next one to go down from
 * @tree: the tree
 * @name: topic name
 * @pos: where @name goes on behind the node, set for the result
 * @node: has been dealt with, with all below it
 * @wild: may the first level be a wildcard
 *
 * A level is tried literally first, then as "+", so whoever came by the
 * literal child has its sibling "+" next, at the same place of @name.
 *
 * Return: the node to go on with, NULL when all is done.
 */
static struct mqtt_node *mqtt_name_up(struct mqtt_tree *tree,
				      const struct mqtt_str *name, u32 *pos,
				      struct mqtt_node *node, bool wild)
{
	struct mqtt_node *parent, *plus;

	for (; node != tree->root; node = parent) {
		parent = node->parent;
		if (!mqtt_node_is(node, '+')) {
			plus = mqtt_node_wildcard(tree, &parent->plus);
			if (plus && (wild || parent != tree->root))
				return plus;
			*pos -= node->len + 1;
			continue;
		}
		for (--*pos; *pos && name->data[*pos - 1] != '/'; --*pos)
			;
	}
	return NULL;
}

static __always_inline int
mqtt_tree_match(struct mqtt_tree *tree, const struct mqtt_str *name,
		mqtt_visit_t visit, void *arg, bool few)
{
	bool wild = !name->len || name->data[0] != '$';
	struct mqtt_node *node = tree->root, *next, *child;
	u32 pos = 0, end, exact, steps = 0;
	bool ok;
	int ret;

	while (node) {
		ok = wild || node != tree->root;
		/* "#" stands for its parent level too, and what is below. */
		next = mqtt_node_wildcard(tree, &node->multi);
		ret = next && ok ? mqtt_node_visit(next, visit, arg) : 0;
		if (!ret && pos > name->len)
			ret = mqtt_node_visit(node, visit, arg);
		if (ret)
			return ret;

		next = ok ? mqtt_node_wildcard(tree, &node->plus) : NULL;
		exact = READ_ONCE(node->nr_exact);
		if (pos > name->len || (!next && !exact)) {
			next = NULL;
		} else {
			end = mqtt_level_end(name, pos);
			child = exact ? mqtt_node_child(tree, node,
							name->data + pos,
							end - pos) : NULL;
			next = child ?: next;
			if (next)
				pos = end + 1;
		}
		node = next ?: mqtt_name_up(tree, name, &pos, node, wild);
		if (!few)
			mqtt_tree_breathe(&steps);
		else if (++steps == MQTT_TREE_FEW)
			return -E2BIG;
	}
	return 0;
}

int mqtt_tree_match_name(struct mqtt_tree *tree, const struct mqtt_str *name,
			 mqtt_visit_t visit, void *arg)
{
	return mqtt_tree_match(tree, name, visit, arg, false);
}

int mqtt_tree_match_few(struct mqtt_tree *tree, const struct mqtt_str *name,
			mqtt_visit_t visit, void *arg)
{
	return mqtt_tree_match(tree, name, visit, arg, true);
}

/*
 * The child of @parent behind @at, which is its list head or a sibling; not a
 * $-topic if @parent is the root and not @wild. An unlinked sibling still
 * points to one that was there when it was unlinked, hence after our section
 * began.
 */
static struct mqtt_node *mqtt_child_after(struct mqtt_tree *tree,
					  struct mqtt_node *parent,
					  struct list_head *at, bool wild)
{
	struct mqtt_node *node;

	do {
		node = list_next_or_null_rcu(&parent->children, at,
					     struct mqtt_node, sibling);
		if (!node || wild || parent != tree->root)
			return node;
		at = &node->sibling;
	} while (node->len && node->level[0] == '$');
	return node;
}

/* Visit @top and all below it; @wild: with $-topics, should @top be the root */
static int mqtt_tree_visit_below(struct mqtt_tree *tree, struct mqtt_node *top,
				 bool wild, mqtt_visit_t visit, void *arg)
{
	struct mqtt_node *node = top, *next;
	u32 steps = 0;
	int ret;

	for (;;) {
		ret = mqtt_node_visit(node, visit, arg);
		if (ret)
			return ret;
		next = mqtt_child_after(tree, node, &node->children, wild);
		while (!next) {
			if (node == top)
				return 0;
			next = mqtt_child_after(tree, node->parent,
						&node->sibling, wild);
			node = node->parent;
			mqtt_tree_breathe(&steps);
		}
		node = next;
		mqtt_tree_breathe(&steps);
	}
}

/**
 * mqtt_filter_up() - leave a node of a match, for the next one to go down from
 * @tree: the tree
 * @filter: topic filter
 * @pos: where @filter goes on behind the node, set for the result
 * @node: has been dealt with, with all below it
 *
 * Return: the node to go on with, NULL when all is done.
 */
static struct mqtt_node *mqtt_filter_up(struct mqtt_tree *tree,
					const struct mqtt_str *filter, u32 *pos,
					struct mqtt_node *node)
{
	struct mqtt_node *parent, *next;

	for (; node != tree->root; node = parent) {
		parent = node->parent;
		/* In a valid filter "+" is alone in its level. */
		if (*pos < 2 || filter->data[*pos - 2] != '+') {
			*pos -= node->len + 1;
			continue;
		}
		next = mqtt_child_after(tree, parent, &node->sibling, false);
		if (next)
			return next;
		*pos -= 2;
	}
	return NULL;
}

int mqtt_tree_match_filter(struct mqtt_tree *tree,
			   const struct mqtt_str *filter,
			   mqtt_visit_t visit, void *arg)
{
	struct mqtt_node *node = tree->root, *next;
	u32 pos = 0, end, steps = 0;
	int ret;

	while (node) {
		next = NULL;
		ret = 0;
		end = mqtt_level_end(filter, pos);
		if (pos > filter->len)
			ret = mqtt_node_visit(node, visit, arg);
		else if (end - pos == 1 && filter->data[pos] == '#')
			ret = mqtt_tree_visit_below(tree, node, false, visit,
						    arg);
		else if (end - pos == 1 && filter->data[pos] == '+')
			next = mqtt_child_after(tree, node, &node->children,
						false);
		else
			next = mqtt_node_child(tree, node, filter->data + pos,
					       end - pos);
		if (ret)
			return ret;
		if (next) {
			pos = end + 1;
			node = next;
		} else {
			node = mqtt_filter_up(tree, filter, &pos, node);
		}
		mqtt_tree_breathe(&steps);
	}
	return 0;
}

int mqtt_tree_walk(struct mqtt_tree *tree, mqtt_visit_t visit, void *arg)
{
	lockdep_assert_held(tree->lock);

	return mqtt_tree_visit_below(tree, tree->root, true, visit, arg);
}

u32 mqtt_tree_topic(const struct mqtt_node *node, u8 *buf, u32 size)
{
	const struct mqtt_node *at;
	u32 len = 0, pos;

	/* Each level with the slash behind it, but the root has none. */
	for (at = node; at->parent; at = at->parent)
		len += at->len + 1;
	if (len)
		len--;

	pos = len + 1;
	for (at = node; at->parent; at = at->parent) {
		pos -= at->len + 1;
		if (pos < size)
			memcpy(buf + pos, at->level,
			       min_t(u32, at->len, size - pos));
		if (pos && pos - 1 < size)
			buf[pos - 1] = '/';
	}
	return len;
}
