/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Numbers for things, as the kernel gives them: the lowest that is free, from 1, and used again at
 * once. Objects have them, and groups of page requests that were read.
 */
#ifndef EMU_IDS_H
#define EMU_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emu_ids {
	void **slots;
	uint64_t *taken; /* a bit for each, those of nothing any more among them */
	size_t room;     /* numbers, a multiple of 64 */
	size_t lowest;   /* none below is free */
};

/* 0 or -ENOMEM. */
int emu_ids_add(struct emu_ids *ids, void *thing, uint32_t *id);
/* With @tombstone nothing gets the number again. */
void emu_ids_remove(struct emu_ids *ids, uint32_t id, bool tombstone);
/* NULL: nothing has it. */
void *emu_ids_find(const struct emu_ids *ids, uint32_t id);
/* Nothing has a number, nor had one that nothing gets again. */
bool emu_ids_none(const struct emu_ids *ids);
/*
 * The number 0 is taken away, though nothing has it. Where anything has a number, that makes it one
 * as good as any other, as in the kernel's arrays.
 */
void emu_ids_erase_zero(struct emu_ids *ids);
/* The things are not freed. */
void emu_ids_free(struct emu_ids *ids);

#endif
