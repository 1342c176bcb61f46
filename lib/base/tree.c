/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "tree.h"

enum { BEFORE = 0, AFTER = 1 };

static int height(const struct tree_node *node)
{
	return node ? node->height : 0;
}

static void update(struct tree *tree, struct tree_node *node)
{
	const int before = height(node->child[BEFORE]);
	const int after = height(node->child[AFTER]);

	node->height = 1 + (before > after ? before : after);
	if (tree->update)
		tree->update(node);
}

static void hang(struct tree_node *parent, int side, struct tree_node *child)
{
	parent->child[side] = child;
	if (child)
		child->parent = parent;
}

/* @now, which may be NULL, in the place of @old below its parent. */
static void replace(struct tree *tree, const struct tree_node *old, struct tree_node *now)
{
	struct tree_node *const parent = old->parent;

	if (!parent)
		tree->root = now;
	else
		parent->child[parent->child[AFTER] == old] = now;
	if (now)
		now->parent = parent;
}

/* The child away from @side comes up, @top goes down on @side. */
static struct tree_node *rotate(struct tree *tree, struct tree_node *top, int side)
{
	struct tree_node *const up = top->child[!side];

	replace(tree, top, up);
	hang(top, !side, up->child[side]);
	hang(up, side, top);
	update(tree, top);
	update(tree, up);
	return up;
}

/* The node that is on top where @node was. */
static struct tree_node *balance(struct tree *tree, struct tree_node *node)
{
	const int lean = height(node->child[AFTER]) - height(node->child[BEFORE]);
	const int side = lean > 0 ? BEFORE : AFTER;
	struct tree_node *const heavy = node->child[!side];

	update(tree, node);
	if (lean >= -1 && lean <= 1)
		return node;
	if (height(heavy->child[side]) > height(heavy->child[!side]))
		rotate(tree, heavy, !side);
	return rotate(tree, node, side);
}

static void balance_up(struct tree *tree, struct tree_node *node)
{
	while (node)
		node = balance(tree, node)->parent;
}

void li_tree_insert(struct tree *tree, struct tree_node *node, tree_compare_fn compare)
{
	struct tree_node *parent = NULL;
	struct tree_node **at = &tree->root;

	while (*at) {
		parent = *at;
		at = &parent->child[compare(node, parent) >= 0];
	}
	*node = (struct tree_node){.parent = parent};
	*at = node;
	balance_up(tree, node);
}

void li_tree_remove(struct tree *tree, struct tree_node *node)
{
	struct tree_node *next = node->child[AFTER];
	struct tree_node *from;

	if (!node->child[BEFORE] || !next) {
		from = node->parent;
		replace(tree, node, next ? next : node->child[BEFORE]);
		balance_up(tree, from);
		return;
	}
	while (next->child[BEFORE])
		next = next->child[BEFORE];
	from = next;
	if (next->parent != node) {
		from = next->parent;
		replace(tree, next, next->child[AFTER]);
		hang(next, AFTER, node->child[AFTER]);
	}
	hang(next, BEFORE, node->child[BEFORE]);
	replace(tree, node, next);
	balance_up(tree, from);
}

void li_tree_changed(struct tree *tree, struct tree_node *node)
{
	for (; node; node = node->parent)
		update(tree, node);
}

static struct tree_node *outermost(struct tree_node *node, int side)
{
	while (node && node->child[side])
		node = node->child[side];
	return node;
}

static struct tree_node *neighbour(const struct tree_node *node, int side)
{
	struct tree_node *parent = node->parent;

	if (node->child[side])
		return outermost(node->child[side], !side);
	while (parent && parent->child[side] == node) {
		node = parent;
		parent = parent->parent;
	}
	return parent;
}

struct tree_node *li_tree_first(const struct tree *tree)
{
	return outermost(tree->root, BEFORE);
}

struct tree_node *li_tree_last(const struct tree *tree)
{
	return outermost(tree->root, AFTER);
}

struct tree_node *li_tree_next(const struct tree_node *node)
{
	return neighbour(node, AFTER);
}

struct tree_node *li_tree_previous(const struct tree_node *node)
{
	return neighbour(node, BEFORE);
}
