/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Memory that is exported by a descriptor, as a dma-buf: of a device (VFIO's feature), or of
 * nobody. Its exporter can take it back at any time; importers are told.
 */
#ifndef EMU_DMABUF_H
#define EMU_DMABUF_H

#include "file.h"
#include "phys.h"

struct emu_importer;

/* Part of a larger thing, which @free frees. */
struct emu_dmabuf {
	struct emu_file file;
	emu_phys phys; /* where it lies; EMU_PHYS_NONE: not in one piece, which is of no use */
	uint64_t length;
	unsigned int holders; /* its file, and importers */
	bool revoked;
	struct emu_importer *importers;
	void (*free)(struct emu_dmabuf *dmabuf);
};

/* Part of a larger thing. */
struct emu_importer {
	struct emu_dmabuf *dmabuf;
	struct emu_importer *next, **link;
	/* The memory is nobody's any more; what this one has of it, it must not use again. */
	void (*revoked)(struct emu_importer *importer);
};

/* A new descriptor, or -errno and nothing is freed. phys, length and free are set. */
int emu_dmabuf_open(struct libiommu_emu *emu, struct emu_dmabuf *dmabuf);
/* NULL: the caller's descriptor is none. */
struct emu_dmabuf *emu_dmabuf_of(struct libiommu_emu *emu, int fd);
/* 0; -ENODEV while it is revoked; -EOPNOTSUPP of several pieces. importer->revoked is set. */
int emu_dmabuf_import(struct emu_dmabuf *dmabuf, struct emu_importer *importer);
void emu_dmabuf_let_go(struct emu_importer *importer);
/* Those who have it lose it; or it can be imported again. */
void emu_dmabuf_revoke(struct emu_dmabuf *dmabuf, bool revoked);

#endif
