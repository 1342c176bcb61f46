/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* PASIDs: after each call the kernel has what the library says. */
#include "suite.h"

#include "../../lib/base/uapi/iommufd.h"

struct pasids {
	struct rig *rig;
	struct libiommu_device *dev;
	struct libiommu_hwpt *own; /* the device's own */
	struct libiommu_hwpt *one;
	struct libiommu_hwpt *two;
};

static struct pasids begin(struct rig *rig)
{
	struct pasids p = {.rig = rig, .dev = rig_device(rig, 1, WORLD_DEV_PASIDS)};

	p.own = rig_table(rig, p.dev, rig->ioas, LIBIOMMU_HWPT_PASID);
	p.one = rig_table(rig, p.dev, rig->ioas, LIBIOMMU_HWPT_PASID);
	p.two = rig_table(rig, p.dev, rig->ioas, LIBIOMMU_HWPT_PASID);
	OK(libiommu_device_attach_hwpt(p.dev, p.own));
	return p;
}

static void kernel_has(const struct pasids *p, struct libiommu_device *dev, uint32_t pasid,
                       const struct libiommu_hwpt *table)
{
	RAW(0, world_check_pasid(p->rig->world, dev, pasid, table ? hwpt_id(table) : 0));
}

/* The kernel and the library have this table there. */
static void assert_at(const struct pasids *p, uint32_t pasid, const struct libiommu_hwpt *table)
{
	struct libiommu_hwpt *found;
	uint64_t tag;

	kernel_has(p, p->dev, pasid, table);
	if (!table) {
		FAILS(ENOENT, libiommu_pasid_find_hwpt(p->dev, pasid, &found, &tag));
		return;
	}
	OK(libiommu_pasid_find_hwpt(p->dev, pasid, &found, &tag));
	assert_ptr_equal(found, table);
}

static void attach_replace_detach(struct rig *rig)
{
	const struct pasids p = begin(rig);
	uint32_t pasid;

	assert_at(&p, 5, NULL);
	OK(libiommu_pasid_attach(p.dev, 5, p.one, 0, &pasid));
	assert_int_equal(pasid, 5);
	assert_at(&p, 5, p.one);
	FAILS(EEXIST, libiommu_pasid_attach(p.dev, 5, p.two, 0, &pasid));
	assert_at(&p, 5, p.one);
	OK(libiommu_pasid_replace(p.dev, 5, p.two, 0));
	assert_at(&p, 5, p.two);
	/* Nobody but the kernel could object now. */
	OK(rig_end(rig, p.one));
	FAILS(EBUSY, libiommu_hwpt_destroy(p.two));
	OK(libiommu_pasid_attach(p.dev, (1U << MOCK_PASID_BITS) - 1, p.two, 0, &pasid));
	assert_at(&p, (1U << MOCK_PASID_BITS) - 1, p.two);
	OK(libiommu_pasid_detach(p.dev, 5));
	assert_at(&p, 5, NULL);
	assert_at(&p, (1U << MOCK_PASID_BITS) - 1, p.two);
}

/* Whatever the device's driver says to it: the library must know better. */
static void device_without(struct rig *rig)
{
	const struct pasids p = begin(rig);
	struct libiommu_device *const plain = rig_device(rig, 2, 0);
	uint32_t pasid;

	FAILS(EOPNOTSUPP, libiommu_pasid_attach(plain, 5, p.one, 0, &pasid));
}

static void table_without_the_flag(struct rig *rig)
{
	const struct pasids p = begin(rig);
	struct libiommu_hwpt *const plain = rig_table(rig, p.dev, rig->ioas, 0);
	uint32_t pasid;

	FAILS(EINVAL, libiommu_pasid_attach(p.dev, 5, plain, 0, &pasid));
	assert_at(&p, 5, NULL);
	OK(libiommu_pasid_attach(p.dev, 5, p.one, 0, &pasid));
	FAILS(EINVAL, libiommu_pasid_replace(p.dev, 5, plain, 0));
	assert_at(&p, 5, p.one);
	/* Nor may the device's own be without it, from now on. */
	FAILS(EINVAL, libiommu_device_replace_hwpt(p.dev, plain));
	FAILS(EINVAL, libiommu_device_replace_ioas(p.dev, rig->ioas));
	OK(libiommu_pasid_detach(p.dev, 5));
	OK(libiommu_device_replace_hwpt(p.dev, plain));
	/* And then no PASID may be attached to anything. */
	FAILS(EINVAL, libiommu_pasid_attach(p.dev, 5, p.one, 0, &pasid));
	OK(libiommu_device_replace_hwpt(p.dev, p.own));
}

static void numbers(struct rig *rig)
{
	const struct pasids p = begin(rig);
	uint32_t pasid = 7;

	FAILS(EINVAL, libiommu_pasid_attach(p.dev, 0, p.one, 0, &pasid));
	assert_int_equal(libiommu_pasid_attach(p.dev, 1U << MOCK_PASID_BITS, p.one, 0, &pasid) < 0,
	                 1);
	assert_int_equal(pasid, 7);
	FAILS(ENOENT, libiommu_pasid_replace(p.dev, 9, p.one, 0));
	FAILS(ENOENT, libiommu_pasid_detach(p.dev, 9));
	kernel_has(&p, p.dev, 9, NULL);
}

/* The driver fails in the middle of a replacement, once. */
static void replacement_that_fails_half_way(struct rig *rig)
{
	const struct pasids p = begin(rig);
	uint32_t pasid;

	OK(libiommu_pasid_attach(p.dev, MOCK_FAILING_PASID, p.one, 7, &pasid));
	FAILS(ENOMEM, libiommu_pasid_replace(p.dev, MOCK_FAILING_PASID, p.two, 8));
	assert_at(&p, MOCK_FAILING_PASID, p.one);
	FAILS(EBUSY, libiommu_hwpt_destroy(p.one));
	OK(rig_end(rig, p.two));
}

static void nested_tables(struct rig *rig)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	const struct pasids p = begin(rig);
	struct libiommu_hwpt *const parent =
		rig_table(rig, p.dev, rig->ioas, LIBIOMMU_HWPT_PASID | LIBIOMMU_HWPT_NEST_PARENT);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *nested, *plain;
	uint32_t pasid;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data, sizeof(data.value)));
	OK(libiommu_hwpt_alloc_nested(p.dev, parent, config, &plain));
	rig_keep(rig, THING_HWPT, plain);
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID));
	OK(libiommu_hwpt_alloc_nested(p.dev, parent, config, &nested));
	rig_keep(rig, THING_HWPT, nested);
	libiommu_hwpt_config_free(config);
	FAILS(EINVAL, libiommu_pasid_attach(p.dev, 5, plain, 0, &pasid));
	OK(libiommu_pasid_attach(p.dev, 5, nested, 0, &pasid));
	assert_at(&p, 5, nested);
	OK(libiommu_pasid_replace(p.dev, 5, p.one, 0));
	OK(libiommu_pasid_replace(p.dev, 5, nested, 0));
	assert_at(&p, 5, nested);
	OK(libiommu_pasid_detach(p.dev, 5));
}

static void shared_space(struct rig *rig)
{
	const struct pasids p = begin(rig);
	struct libiommu_device *const other = rig_device(rig, 2, WORLD_DEV_PASIDS);
	struct libiommu_device *const third = rig_device(rig, 3, WORLD_DEV_PASIDS);
	struct libiommu_pasid_space *space;
	uint32_t pasid;

	OK(libiommu_pasid_space_new(rig->ctx, 0, &space));
	OK(libiommu_pasid_space_join(space, other));
	OK(libiommu_pasid_space_join(space, third));
	OK(libiommu_device_attach_hwpt(other, p.own));
	OK(libiommu_device_attach_hwpt(third, p.own));
	OK(libiommu_pasid_attach(other, 9, p.one, 0, &pasid));
	OK(libiommu_pasid_attach(third, 9, p.two, 0, &pasid));
	assert_int_equal(pasid, 9);
	kernel_has(&p, other, 9, p.one);
	kernel_has(&p, third, 9, p.two);
	OK(rig_end(rig, other));
	kernel_has(&p, third, 9, p.two);
	OK(rig_end(rig, third));
	OK(libiommu_pasid_space_destroy(space));
}

/* All are there, none is anywhere else, and the end of the device is the end of all. */
static void many(struct rig *rig)
{
	const struct pasids p = begin(rig);
	const uint32_t count = 3000;
	uint32_t pasid;

	for (uint32_t i = 1; i < count; i++) {
		/* Scattered over all numbers; 347 divides no power of two. */
		const uint32_t scattered = i * 347 % (1U << MOCK_PASID_BITS);

		if (scattered == MOCK_FAILING_PASID)
			continue;
		OK(libiommu_pasid_attach(p.dev, scattered, i % 2 ? p.one : p.two, i, &pasid));
		assert_int_equal(pasid, scattered);
	}
	for (uint32_t i = 1; i < count; i++) {
		const uint32_t scattered = i * 347 % (1U << MOCK_PASID_BITS);

		if (scattered == MOCK_FAILING_PASID)
			continue;
		assert_at(&p, scattered, i % 2 ? p.one : p.two);
		assert_at(&p, scattered + 1, NULL);
	}
	FAILS(EBUSY, libiommu_hwpt_destroy(p.one));
	OK(rig_end(rig, p.dev));
	OK(rig_end(rig, p.one));
	OK(rig_end(rig, p.two));
}

static const struct behaviour behaviours[] = {
	{PROVES("attached, replaced, detached", attach_replace_detach), .needs = WORLD_PASIDS},
	{PROVES("not on a device without", device_without), .needs = WORLD_PASIDS},
	{PROVES("not with a page table without the flag", table_without_the_flag),
         .needs = WORLD_PASIDS},
	{PROVES("numbers that are none", numbers), .needs = WORLD_PASIDS},
	{PROVES("a replacement that fails half-way", replacement_that_fails_half_way),
         .needs = WORLD_PASIDS},
	{PROVES("nested page tables", nested_tables), .needs = WORLD_PASIDS},
	{PROVES("two devices in one space", shared_space), .needs = WORLD_PASIDS},
	{PROVES("three thousand of them", many), .needs = WORLD_PASIDS},
};

THEME(pasids, "PASIDs");
