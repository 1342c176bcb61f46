/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The balanced tree: in order, balanced, and what a node keeps of those below is right, always. */
#include <stdlib.h>

#include "script.h"

#include "../../lib/base/tree.h"
#include "../random.h"

#define NODES 2000

struct number {
	struct tree_node node;
	uint32_t value;
	uint32_t greatest; /* here and below */
	bool in;
};

static struct number numbers[NODES];

static const struct number *number_of(const struct tree_node *node)
{
	return (const struct number *)node;
}

static void keep_greatest(struct tree_node *node)
{
	struct number *const number = (struct number *)node;

	number->greatest = number->value;
	for (int side = 0; side < 2; side++)
		if (node->child[side] && number_of(node->child[side])->greatest > number->greatest)
			number->greatest = number_of(node->child[side])->greatest;
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	return number_of(a)->value < number_of(b)->value
	               ? -1
	               : number_of(a)->value > number_of(b)->value;
}

/* Returns the height. */
static int check_below(const struct tree_node *node, uint32_t *greatest, size_t *count)
{
	uint32_t most = number_of(node)->value;
	int heights[2] = {0, 0};

	for (int side = 0; side < 2; side++) {
		uint32_t below = 0;

		if (!node->child[side])
			continue;
		assert_ptr_equal(node->child[side]->parent, node);
		heights[side] = check_below(node->child[side], &below, count);
		if (below > most)
			most = below;
	}
	assert_true(heights[0] - heights[1] <= 1 && heights[1] - heights[0] <= 1);
	assert_int_equal(node->height, 1 + (heights[0] > heights[1] ? heights[0] : heights[1]));
	assert_int_equal(number_of(node)->greatest, most);
	*greatest = most;
	(*count)++;
	return node->height;
}

static void check(const struct tree *tree, size_t wanted)
{
	const struct tree_node *node, *last = NULL;
	uint32_t greatest = 0, value = 0;
	size_t count = 0, walked = 0;

	if (tree->root) {
		assert_null(tree->root->parent);
		check_below(tree->root, &greatest, &count);
	}
	assert_int_equal(count, wanted);
	for (node = li_tree_first(tree); node; node = li_tree_next(node)) {
		assert_true(number_of(node)->value >= value);
		value = number_of(node)->value;
		assert_ptr_equal(li_tree_previous(node), last);
		last = node;
		walked++;
	}
	assert_int_equal(walked, wanted);
	assert_ptr_equal(li_tree_last(tree), last);
}

static void test_random(void **state)
{
	struct tree tree = {.update = keep_greatest};
	uint32_t seed = 7;
	size_t in = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct number *const number = &numbers[next_random(&seed) % NODES];

		if (number->in) {
			li_tree_remove(&tree, &number->node);
			in--;
		} else {
			/* Some are equal. */
			number->value = next_random(&seed) % NODES;
			li_tree_insert(&tree, &number->node, compare);
			in++;
		}
		number->in = !number->in;
		if (round % 97 == 0)
			check(&tree, in);
	}
	check(&tree, in);
	while (tree.root) {
		li_tree_remove(&tree, tree.root);
		if (--in % 61 == 0)
			check(&tree, in);
	}
	assert_int_equal(in, 0);
}

static void test_in_order_of_insertion_when_equal(void **state)
{
	struct tree tree = {.update = NULL};
	const struct tree_node *node;
	size_t i = 0;

	(void)state;
	for (i = 0; i < 100; i++) {
		numbers[i].value = 5;
		li_tree_insert(&tree, &numbers[i].node, compare);
	}
	i = 0;
	for (node = li_tree_first(&tree); node; node = li_tree_next(node))
		assert_ptr_equal(node, &numbers[i++].node);
	assert_int_equal(i, 100);
}

static void test_changed(void **state)
{
	struct tree tree = {.update = keep_greatest};

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		numbers[i].value = i * 10;
		li_tree_insert(&tree, &numbers[i].node, compare);
	}
	numbers[99].value = 5000;
	li_tree_changed(&tree, &numbers[99].node);
	check(&tree, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_in_order_of_insertion_when_equal),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
