/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "access.h"

#include <errno.h>

#include "area.h"
#include "heap.h"
#include "source.h"

static void access_destroy(struct emu_object *object)
{
	struct emu_access *const access = (struct emu_access *)object;

	emu_access_attach(access, NULL);
	emu_release(access);
}

static const struct emu_object_ops access_ops = {
	.type = EMU_ACCESS,
	.destroy = access_destroy,
};

static int access_new(struct emu_ctx *ctx, uint64_t alignment, struct emu_access **access)
{
	struct emu_access *const made = emu_alloc(sizeof(*made));

	if (!made || emu_object_add(ctx, &made->object, &access_ops)) {
		emu_release(made);
		return -ENOMEM;
	}
	made->alignment = alignment;
	/* The driver uses it until it frees it. */
	emu_object_use(&made->object);
	*access = made;
	return 0;
}

int emu_access_new(struct emu_ctx *ctx, emu_revoke_fn revoke, void *user,
                   struct emu_access **access)
{
	const int error = access_new(ctx, EMU_PAGE, access);

	if (error)
		return error;
	(*access)->revoke = revoke;
	(*access)->user = user;
	(*access)->internal = !revoke;
	if (revoke)
		emu_ctx_hold(ctx);
	return 0;
}

int emu_access_new_plain(struct emu_ctx *ctx, struct emu_access **access)
{
	const int error = access_new(ctx, 1, access);

	if (!error)
		emu_ctx_hold(ctx);
	return error;
}

void emu_access_free(struct emu_access *access)
{
	struct emu_ctx *const ctx = access->object.ctx;
	const bool internal = access->internal;

	emu_object_unuse(&access->object);
	emu_object_remove(&access->object, false);
	if (!internal)
		emu_ctx_let_go(ctx);
}

static void join(struct emu_access *access, struct emu_ioas *ioas)
{
	access->ioas = ioas;
	access->next = ioas->accesses;
	ioas->accesses = access;
	emu_object_use(&ioas->object);
	emu_ioas_align(ioas);
}

static void leave(struct emu_access *access)
{
	struct emu_ioas *const ioas = access->ioas;
	struct emu_access **link = &ioas->accesses;

	if (access->revoke)
		access->revoke(access->user, 0, UINT64_MAX);
	while (*link != access)
		link = &(*link)->next;
	*link = access->next;
	access->ioas = NULL;
	emu_object_unuse(&ioas->object);
	emu_ioas_align(ioas);
}

int emu_access_attach(struct emu_access *access, struct emu_ioas *ioas)
{
	if (access->ioas == ioas)
		return 0;
	if (ioas && !emu_ioas_is_aligned(ioas, access->alignment))
		return -EADDRINUSE;
	if (access->ioas)
		leave(access);
	if (ioas)
		join(access, ioas);
	return 0;
}

static bool allows(const struct emu_area *area, unsigned int flags)
{
	return area->access & (flags & EMU_ACCESS_WRITE ? EMU_WRITE : EMU_READ);
}

/* Pages are handed out whole. */
static bool is_whole(const struct emu_walk *walk)
{
	const uint64_t start = emu_area_byte(walk->area, walk->iova);

	return !(start % EMU_PAGE) && (walk->done || !((start + walk->length) % EMU_PAGE));
}

static int pin_part(const struct emu_access *access, const struct emu_walk *walk,
                    unsigned int flags, emu_phys *pages)
{
	struct emu_area *const area = walk->area;
	int error;

	if (area->closed || !is_whole(walk))
		return -EINVAL;
	if (!allows(area, flags) || ((flags & EMU_ACCESS_WRITE) && !area->pages->writable))
		return -EPERM;
	if (area->pages->source->is_device)
		return -EINVAL;
	error = emu_pages_hold(area->pages, walk->first_page, walk->last_page);
	if (error)
		return error;
	area->accesses++;
	area->locks += access->internal;
	for (uint64_t i = walk->first_page; pages && i <= walk->last_page; i++)
		*pages++ = area->pages->phys + i * EMU_PAGE;
	return 0;
}

static void unpin(struct emu_access *access, uint64_t iova, uint64_t last)
{
	struct emu_walk walk = emu_walk_begin(access->ioas, iova, last);

	while (emu_walk_next(&walk)) {
		walk.area->accesses--;
		walk.area->locks -= access->internal;
		emu_pages_let_loose(walk.area->pages, walk.first_page, walk.last_page);
	}
}

/* The range that a driver names: 0 or -errno. */
static int begin(const struct emu_access *access, uint64_t iova, uint64_t length,
                 struct emu_walk *walk)
{
	if (!length)
		return -EINVAL;
	if (iova + length - 1 < iova)
		return -EOVERFLOW;
	if (!access->ioas)
		return -ENOENT;
	*walk = emu_walk_begin(access->ioas, iova, iova + length - 1);
	return 0;
}

int emu_access_pin(struct emu_access *access, uint64_t iova, uint64_t length, unsigned int flags,
                   emu_phys *pages)
{
	struct emu_walk walk;
	uint64_t pinned = iova;
	int error = begin(access, iova, length, &walk);

	if (error)
		return error;
	while (!error && emu_walk_next(&walk)) {
		error = pin_part(access, &walk, flags, pages);
		if (error)
			break;
		pinned = walk.iova + walk.length;
		if (pages)
			pages += walk.last_page - walk.first_page + 1;
	}
	if (!error && !walk.done)
		error = -ENOENT;
	if (error && pinned != iova)
		unpin(access, iova, pinned - 1);
	return error;
}

void emu_access_unpin(struct emu_access *access, uint64_t iova, uint64_t length)
{
	if (access->ioas && length)
		unpin(access, iova, iova + length - 1);
}

/*
 * Of the process itself, as its own instructions would: what is mapped now, pinned or not. Across
 * pages that is for the process that the machine is in.
 */
static bool is_direct(const struct emu_walk *walk, unsigned int flags)
{
	const struct emu_pages *const pages = walk->area->pages;

	if (pages->source->is_file || emu_task_is_gone(&pages->payer.task))
		return false;
	return walk->first_page == walk->last_page ||
	       (!pages->payer.task.pid && !(flags & EMU_ACCESS_SLOW));
}

static int rw_part(const struct emu_walk *walk, void *buffer, unsigned int flags)
{
	struct emu_pages *const pages = walk->area->pages;
	const uint64_t byte = emu_area_byte(walk->area, walk->iova);
	const bool direct = is_direct(walk, flags);

	if (walk->area->closed)
		return -EINVAL;
	if (!allows(walk->area, flags))
		return -EPERM;
	if (pages->source->is_device)
		return -EINVAL;
	return flags & EMU_ACCESS_WRITE ? emu_pages_write(pages, byte, buffer, walk->length, direct)
	                                : emu_pages_read(pages, byte, buffer, walk->length, direct);
}

int emu_access_rw(struct emu_access *access, uint64_t iova, void *buffer, uint64_t length,
                  unsigned int flags)
{
	struct emu_walk walk;
	int error = begin(access, iova, length, &walk);

	if (error)
		return error;
	while (!error && emu_walk_next(&walk)) {
		error = rw_part(&walk, buffer, flags);
		buffer = (char *)buffer + walk.length;
	}
	return error || walk.done ? error : -ENOENT;
}
