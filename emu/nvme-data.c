/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Memory that commands move: pages, in one or two places or in a list of places. */
#include <endian.h>

#include "nvme.h"

/* Places that are fetched at once. */
#define FETCHED 64U

static bool is_master(const struct nvme *nvme)
{
	return emu_pci_get(&nvme->pci, EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_MASTER;
}

bool emu_nvme_get(struct nvme *nvme, uint64_t iova, void *to, size_t size)
{
	return is_master(nvme) && !emu_dev_dma(nvme->pci.dev, 0, iova, to, size, EMU_READ, NULL);
}

bool emu_nvme_put(struct nvme *nvme, uint64_t iova, const void *from, size_t size)
{
	return is_master(nvme) &&
	       !emu_dev_dma(nvme->pci.dev, 0, iova, (void *)(uintptr_t)from, size, EMU_WRITE, NULL);
}

/* What is left to be moved, of pages one after the other. */
struct walk {
	struct nvme *nvme;
	nvme_move_fn move;
	void *user;
	size_t left;
	uint32_t page;
};

static uint16_t move_page(struct walk *walk, uint64_t iova)
{
	const size_t size = walk->left < walk->page ? walk->left : walk->page;

	if (iova & (walk->page - 1))
		return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
	walk->left -= size;
	return walk->move(walk->nvme, walk->user, iova, size);
}

/* A list ends with its page: its last place then is that of the next list. */
static uint16_t move_list(struct walk *walk, uint64_t list)
{
	uint64_t places[FETCHED];

	if (list & 7)
		return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
	while (walk->left) {
		const size_t pages = (walk->left + walk->page - 1) / walk->page;
		size_t count = (walk->page - (list & (walk->page - 1))) / 8;
		const bool last = count >= pages;

		count = last ? pages : count;
		for (size_t i = 0; i < count; i++) {
			const size_t fetched = count - i < FETCHED ? count - i : FETCHED;
			uint16_t status;

			if (i % FETCHED == 0 &&
			    !emu_nvme_get(walk->nvme, list + 8 * i, places, 8 * fetched))
				return NVME_DATA_TRANSFER_ERROR;
			if (!last && i == count - 1) {
				list = le64toh(places[i % FETCHED]);
				if (list & 7)
					return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
				break;
			}
			status = move_page(walk, le64toh(places[i % FETCHED]));
			if (status)
				return status;
		}
	}
	return NVME_SUCCESS;
}

uint16_t emu_nvme_each_piece(struct nvme *nvme, const struct nvme_command *command, size_t size,
                             nvme_move_fn move, void *user)
{
	const uint64_t prp1 = le64toh(command->prp1);
	const uint64_t prp2 = le64toh(command->prp2);
	struct walk walk = {.nvme = nvme,
	                    .move = move,
	                    .user = user,
	                    .left = size,
	                    .page = emu_nvme_page(nvme)};
	/* Only the first may begin inside its page. */
	const size_t room = walk.page - (prp1 & (walk.page - 1));
	const size_t first = size < room ? size : room;
	uint16_t status;

	if (prp1 & 3)
		return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
	walk.left -= first;
	status = move(nvme, user, prp1, first);
	if (status || !walk.left)
		return status;
	return walk.left <= walk.page ? move_page(&walk, prp2) : move_list(&walk, prp2);
}

static uint16_t put_piece(struct nvme *nvme, void *user, uint64_t iova, size_t size)
{
	const uint8_t **const from = user;

	if (!emu_nvme_put(nvme, iova, *from, size))
		return NVME_DATA_TRANSFER_ERROR;
	*from += size;
	return NVME_SUCCESS;
}

uint16_t emu_nvme_reply(struct nvme *nvme, const struct nvme_command *command, const void *from,
                        size_t size)
{
	const uint8_t *bytes = from;

	return emu_nvme_each_piece(nvme, command, size, put_piece, &bytes);
}
