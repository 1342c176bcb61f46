/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Drivers in the kernel, played by a program. */
#include "driver.h"

#include <errno.h>
#include <libiommu-emu/driver.h>

#include "access.h"
#include "heap.h"
#include "machine.h"
#include "phys-same.h"

struct item {
	struct item *next;
	uint32_t number;
	uint64_t iova, length;
};

struct libiommu_emu_driver {
	struct libiommu_emu *emu;
	struct emu_access *access;
	struct item *items;
	uint32_t next_number;
	bool pins;
};

static void let_go(struct libiommu_emu_driver *driver, struct item **link)
{
	struct item *const item = *link;

	*link = item->next;
	emu_access_unpin(driver->access, item->iova, item->length);
	emu_release(item);
}

/* Unmapped, or all of it when it moves: what has a page there. */
static void revoke(void *user, uint64_t iova, uint64_t length)
{
	struct libiommu_emu_driver *const driver = user;
	const uint64_t last = iova + length - 1;
	struct item **link = &driver->items;

	while (*link) {
		const struct item *const item = *link;

		if (iova <= item->iova + item->length - 1 && last >= item->iova)
			let_go(driver, link);
		else
			link = &(*link)->next;
	}
}

static int begin(struct libiommu_emu_driver *driver, struct emu_ctx *ctx, uint32_t ioas_id)
{
	struct emu_ioas *ioas;
	int error;

	error = driver->pins ? emu_access_new(ctx, revoke, driver, &driver->access)
	                     : emu_access_new_plain(ctx, &driver->access);
	if (error)
		return error;
	ioas = emu_ioas_find(ctx, ioas_id);
	error = ioas ? emu_access_attach(driver->access, ioas) : -ENOENT;
	if (error)
		emu_access_free(driver->access);
	return error;
}

int emu_driver_new(struct emu_ctx *ctx, uint32_t ioas_id, bool pins,
                   struct libiommu_emu_driver **driver)
{
	struct libiommu_emu_driver *const made = emu_alloc(sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->emu = ctx->file.emu;
	made->pins = pins;
	error = begin(made, ctx, ioas_id);
	if (error) {
		emu_release(made);
		return error;
	}
	made->emu->drivers++;
	*driver = made;
	return 0;
}

LIBIOMMU_API int libiommu_emu_driver_new(struct libiommu_emu *emu, int iommufd, uint32_t ioas_id,
                                         uint32_t flags, struct libiommu_emu_driver **driver)
{
	struct emu_ctx *ctx;
	int error;

	if (!emu || !driver || flags & ~LIBIOMMU_EMU_DRIVER_PINS)
		return -EINVAL;
	emu_lock(emu);
	ctx = emu_ctx_of(emu, iommufd);
	error = ctx ? emu_driver_new(ctx, ioas_id, flags, driver) : -EBADF;
	emu_unlock(emu);
	return error;
}

LIBIOMMU_API void libiommu_emu_driver_free(struct libiommu_emu_driver *driver)
{
	struct libiommu_emu *emu;

	if (!driver)
		return;
	emu = driver->emu;
	emu_lock(emu);
	emu_access_free(driver->access);
	emu->drivers--;
	emu_unlock(emu);
	emu_release(driver);
}

LIBIOMMU_API int libiommu_emu_driver_move(struct libiommu_emu_driver *driver, uint32_t ioas_id)
{
	struct emu_ioas *ioas;
	int error;

	if (!driver)
		return -EINVAL;
	emu_lock(driver->emu);
	ioas = emu_ioas_find(driver->access->object.ctx, ioas_id);
	error = ioas ? emu_access_attach(driver->access, ioas) : -ENOENT;
	emu_unlock(driver->emu);
	return error;
}

static int transfer(struct libiommu_emu_driver *driver, uint64_t iova, void *buffer,
                    uint64_t length, uint32_t flags, unsigned int direction)
{
	int error;

	if (!driver || !buffer || flags & ~LIBIOMMU_EMU_DRIVER_SLOW)
		return -EINVAL;
	emu_lock(driver->emu);
	error = emu_access_rw(driver->access, iova, buffer, length, flags | direction);
	emu_unlock(driver->emu);
	return error;
}

LIBIOMMU_API int libiommu_emu_driver_read(struct libiommu_emu_driver *driver, uint64_t iova,
                                          void *buffer, uint64_t length, uint32_t flags)
{
	return transfer(driver, iova, buffer, length, flags, 0);
}

LIBIOMMU_API int libiommu_emu_driver_write(struct libiommu_emu_driver *driver, uint64_t iova,
                                           const void *buffer, uint64_t length, uint32_t flags)
{
	return transfer(driver, iova, (void *)(uintptr_t)buffer, length, flags, EMU_ACCESS_WRITE);
}

/* Pinned, and what it must be. */
static int pin(struct libiommu_emu_driver *driver, uint64_t iova, uint64_t length, uint32_t flags,
               const void *memory)
{
	const size_t count = (size_t)((iova % EMU_PAGE + length - 1) / EMU_PAGE + 1);
	const uintptr_t first = (uintptr_t)memory - (uintptr_t)(iova % EMU_PAGE);
	struct emu_sight sight = {0};
	emu_phys *const pages = memory ? emu_alloc(count * sizeof(*pages)) : NULL;
	int error;

	if (memory && !pages)
		return -ENOMEM;
	error = emu_access_pin(driver->access, iova, length, flags, pages);
	for (size_t i = 0; pages && !error && i < count; i++)
		if (!emu_phys_is(pages[i], first + i * EMU_PAGE, &sight)) {
			error = -EBADE;
			emu_access_unpin(driver->access, iova, length);
		}
	emu_release(pages);
	return error;
}

LIBIOMMU_API int libiommu_emu_driver_pin(struct libiommu_emu_driver *driver, uint64_t iova,
                                         uint64_t length, uint32_t flags, const void *memory,
                                         uint32_t *item)
{
	struct item *made;
	int error;

	if (!driver || flags & ~LIBIOMMU_EMU_DRIVER_WRITE)
		return -EINVAL;
	if (!driver->pins)
		return -EOPNOTSUPP;
	if (!length)
		return -EINVAL;
	if (iova + length - 1 < iova)
		return -EOVERFLOW;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	emu_lock(driver->emu);
	error = pin(driver, iova, length, flags, memory);
	if (!error) {
		*made = (struct item){driver->items, driver->next_number++, iova, length};
		driver->items = made;
		if (item)
			*item = made->number;
	}
	emu_unlock(driver->emu);
	if (error)
		emu_release(made);
	return error;
}

LIBIOMMU_API int libiommu_emu_driver_unpin(struct libiommu_emu_driver *driver, uint32_t item)
{
	struct item **link;
	int error = -ENOENT;

	if (!driver)
		return -EINVAL;
	emu_lock(driver->emu);
	link = &driver->items;
	while (*link && (*link)->number != item)
		link = &(*link)->next;
	if (*link) {
		let_go(driver, link);
		error = 0;
	}
	emu_unlock(driver->emu);
	return error;
}
