/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "failing-scene.h"

#include "../../lib/base/uapi/iommufd.h"

/* The kernel gives the lowest id that is free: an object that is left there takes it. */
static uint32_t next_id(struct rig *rig)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd)};
	struct uapi_destroy destroy = {.size = sizeof(destroy)};

	RAW(0, world_ioctl(rig->world, UAPI_IOC_IOAS_ALLOC, &cmd));
	destroy.id = cmd.out_ioas_id;
	RAW(0, world_ioctl(rig->world, UAPI_IOC_DESTROY, &destroy));
	return cmd.out_ioas_id;
}

static void note(void *user)
{
	struct scene *const scene = user;

	scene->live = vm_live(scene->rig->ctx);
	if (scene->rig->ioas)
		OK(libiommu_ioas_mapped(scene->rig->ioas, &scene->mapped, &scene->others));
	scene->next_id = next_id(scene->rig);
}

static void check(void *user)
{
	struct scene *const scene = user;
	struct rig *const rig = scene->rig;
	uint64_t mapped = scene->mapped, others = scene->others;

	if (rig->ioas)
		OK(libiommu_ioas_mapped(rig->ioas, &mapped, &others));
	if (vm_live(rig->ctx) != scene->live || mapped != scene->mapped ||
	    others != scene->others || next_id(rig) != scene->next_id)
		fail_msg("%s, allocation %u: something is left, or gone", scene->each.call,
		         scene->each.nth);
	if (scene->shown)
		rig_check_map(rig, scene->shown, rig->memory, LENGTH);
	RAW(0, world_check_pins(rig->world, rig->memory, LENGTH, scene->pins));
	if (scene->more)
		scene->more(scene);
}

static int start(void *user, unsigned int nth)
{
	const struct scene *const scene = user;

	return world_fail_allocation(scene->rig->world, nth);
}

static int stop(void *user)
{
	const struct scene *const scene = user;

	return world_stop_failing(scene->rig->world);
}

void scene_begin(struct scene *scene, struct rig *rig)
{
	*scene = (struct scene){
		.each = {.start = start, .stop = stop, .note = note, .check = check, .user = scene},
		.rig = rig,
	};
}

void scene_end(struct scene *scene)
{
	each_report(&scene->each);
	assert_true(scene->each.refused);
}
