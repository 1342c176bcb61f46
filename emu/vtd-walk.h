/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * First-stage tables of VT-d, which are those of x86-64 processors: Intel VT-d specification,
 * sections 3.6 and 9.7. They lie in a guest's memory; who walks them says how that is reached.
 */
#ifndef EMU_VTD_WALK_H
#define EMU_VTD_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* Memory by guest-physical addresses, which are multiples of 8: 0 or -errno, -EIO for none. */
struct emu_guest {
	int (*get)(const struct emu_guest *guest, uint64_t at, uint64_t *value);
	/* These bits are set there, in one step. */
	int (*set)(const struct emu_guest *guest, uint64_t at, uint32_t bits);
};

struct emu_vtd_table {
	uint64_t root;       /* guest-physical */
	unsigned int levels; /* 4 or 5 */
	bool extended;       /* marks what is used in bit 10 too */
};

/* The page that an address lies in. */
struct emu_vtd_page {
	uint64_t iova, gpa, size;
	bool writable; /* by this walk, which has marked it written then */
};

/*
 * A device's access, with the rights of a user's: 0; -ENOENT: no page there; -EACCES: not for this
 * access; -EINVAL: no address, or an entry that is none; -EIO: no memory where a table is said to
 * be, or none that can be marked. Only what leads to a page is marked.
 */
int emu_vtd_walk(const struct emu_vtd_table *table, const struct emu_guest *guest, uint64_t iova,
                 bool write, struct emu_vtd_page *page);

#endif
