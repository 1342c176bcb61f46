/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Everything that hangs on a device is destroyed in every order. What comes too early is refused
 * and changes nothing, and in the end nothing is left, whatever the order was.
 */
#include "edu.h"
#include "vm.h"

#include <string.h>

enum object { BAR, DEVICE, HWPT, IOAS, CONTEXT, OBJECTS };

struct stack {
	struct libiommu_bar_map *bar;
	struct libiommu_device *dev;
	struct libiommu_hwpt *hwpt;
	struct libiommu_ioas *ioas;
	struct libiommu_ctx *ctx;
	bool attached;
	bool gone[OBJECTS];
};

static void build(struct stack *stack, const struct vm *vm, bool attached)
{
	memset(stack, 0, sizeof(*stack));
	stack->attached = attached;
	OK(libiommu_ctx_new(NULL, &stack->ctx));
	OK(libiommu_ioas_alloc(stack->ctx, &stack->ioas));
	OK(libiommu_device_open_pci(stack->ctx, vm->edu, &stack->dev));
	OK(libiommu_device_bind(stack->dev, VM_LABEL, NULL, 0));
	OK(libiommu_hwpt_alloc(stack->dev, stack->ioas, NULL, &stack->hwpt));
	OK(libiommu_ioas_map_fixed(stack->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	if (attached)
		OK(libiommu_device_attach_hwpt(stack->dev, stack->hwpt));
	OK(libiommu_pci_bar_map(stack->dev, 0, 0, VM_PAGE, LIBIOMMU_BAR_READ, &stack->bar));
}

/* What the documentation promises: children first. */
static bool may_go(const struct stack *stack, enum object object)
{
	switch (object) {
	case BAR:
		return true;
	case DEVICE:
		return stack->gone[BAR];
	case HWPT:
		return stack->gone[DEVICE] || !stack->attached;
	case IOAS:
		return stack->gone[HWPT];
	case CONTEXT:
	default:
		return stack->gone[BAR] && stack->gone[DEVICE] && stack->gone[HWPT] &&
		       stack->gone[IOAS];
	}
}

static int destroy(struct stack *stack, enum object object)
{
	switch (object) {
	case BAR:
		return libiommu_bar_map_destroy(stack->bar);
	case DEVICE:
		return libiommu_device_destroy(stack->dev);
	case HWPT:
		return libiommu_hwpt_destroy(stack->hwpt);
	case IOAS:
		return libiommu_ioas_destroy(stack->ioas);
	case CONTEXT:
	default:
		return libiommu_ctx_destroy(stack->ctx);
	}
}

/* A refusal changes nothing: as many objects as before, attached as before. */
static void refused(struct stack *stack, enum object object)
{
	uint64_t mapped_before, mapped_after;
	const uint64_t live = vm_live(stack->ctx);
	uint32_t pt_id;

	OK(libiommu_ctx_mapped(stack->ctx, &mapped_before));
	FAILS(EBUSY, destroy(stack, object));
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_LIBRARY);
	assert_int_equal(vm_live(stack->ctx), live);
	OK(libiommu_ctx_mapped(stack->ctx, &mapped_after));
	assert_int_equal(mapped_before, mapped_after);
	if (stack->attached && !stack->gone[DEVICE])
		OK(libiommu_device_pt_id(stack->dev, &pt_id));
	/* The registers are still there to read. */
	if (!stack->gone[BAR])
		assert_int_equal(edu_read(libiommu_bar_map_address(stack->bar), EDU_ID) & 0xff,
		                 0xed);
}

/* One pass in this order; what is refused stays for the next. Returns how many were refused. */
static unsigned int take_down(struct stack *stack, const enum object *order)
{
	unsigned int count = 0;

	for (int i = 0; i < OBJECTS; i++) {
		if (stack->gone[order[i]])
			continue;
		if (may_go(stack, order[i])) {
			OK(destroy(stack, order[i]));
			stack->gone[order[i]] = true;
		} else {
			refused(stack, order[i]);
			count++;
		}
	}
	return count;
}

/* The next order in the alphabet of objects; false after the last. */
static bool next_order(enum object *order)
{
	enum object swap;
	int i, j;

	for (i = OBJECTS - 2; i >= 0 && order[i] > order[i + 1]; i--)
		;
	if (i < 0)
		return false;
	for (j = OBJECTS - 1; order[j] < order[i]; j--)
		;
	swap = order[i];
	order[i] = order[j];
	order[j] = swap;
	for (i++, j = OBJECTS - 1; i < j; i++, j--) {
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
	return true;
}

static void all_orders(const struct vm *vm, bool attached, unsigned int expected_legal)
{
	enum object order[OBJECTS] = {BAR, DEVICE, HWPT, IOAS, CONTEXT};
	unsigned int legal = 0, orders = 0, fds;
	struct stack stack;

	do {
		fds = vm_count_fds();
		build(&stack, vm, attached);
		if (!take_down(&stack, order))
			legal++;
		while (!stack.gone[CONTEXT])
			take_down(&stack, order);
		assert_int_equal(vm_count_fds(), fds);
		orders++;
	} while (next_order(order));
	assert_int_equal(orders, 120);
	assert_int_equal(legal, expected_legal);
}

/* Attached: bar, device, page table, address space, context is the only order without a refusal. */
static void test_orders_attached(void **state)
{
	all_orders(*state, true, 1);
}

/* Not attached, the page table and its address space need not wait for the device. */
static void test_orders_detached(void **state)
{
	all_orders(*state, false, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_orders_attached, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_orders_detached, vm_setup_empty, vm_teardown),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
