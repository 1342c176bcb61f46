/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A balanced tree (AVL) of nodes that are part of the owner's own structures: it allocates nothing.
 * A node may keep something about all nodes below it, which update() works out anew from the node
 * itself and its two children.
 */
#ifndef LIBIOMMU_BASE_TREE_H
#define LIBIOMMU_BASE_TREE_H

#include <stddef.h>

struct tree_node {
	struct tree_node *parent;
	struct tree_node *child[2]; /* what is before, what is after */
	int height;
};

struct tree {
	struct tree_node *root;
	void (*update)(struct tree_node *node); /* NULL: nothing is kept */
};

/* Negative where @a comes before @b. Equal nodes are in the order of their insertion. */
typedef int (*tree_compare_fn)(const struct tree_node *a, const struct tree_node *b);

void li_tree_insert(struct tree *tree, struct tree_node *node, tree_compare_fn compare);
void li_tree_remove(struct tree *tree, struct tree_node *node);
/* What the node itself has changed, in a way that leaves the order as it is. */
void li_tree_changed(struct tree *tree, struct tree_node *node);

/* NULL where there is none. */
struct tree_node *li_tree_first(const struct tree *tree);
struct tree_node *li_tree_last(const struct tree *tree);
struct tree_node *li_tree_next(const struct tree_node *node);
struct tree_node *li_tree_previous(const struct tree_node *node);

#endif
