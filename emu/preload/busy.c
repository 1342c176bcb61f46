/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A device that works by itself, for programs that have none to tell what to do: in a thread of its
 * own it reads and writes memory at addresses by chance, or asks for pages, as soon as it is let at
 * memory and until it no longer is. It keeps a copy of what should be there.
 */
#include "busy.h"

#include <libiommu-emu/request.h>
#include <libiommu-emu/transfer.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../dev.h"
#include "../machine.h"
#include "../pci-regs.h"
#include "../pci.h"
#include "../thread.h"
#include "preload.h"

enum { PAGE = 4096, A_MOMENT = 50 };

struct busy {
	struct busy *next;
	struct libiommu_emu_device *device;
	struct emu_preload_busy how;
	char *tell, *image; /* its own copies */
	pthread_t thread;
	uint8_t *copy;    /* of the memory, as far as it has written that */
	uint8_t *touched; /* a byte for each page of it */
	uint64_t random, accesses, done, refused, wrong;
};

static struct busy *all;
static pid_t process;
static _Atomic(bool) ended;

static uint64_t draw(struct busy *busy)
{
	busy->random ^= busy->random << 13;
	busy->random ^= busy->random >> 7;
	busy->random ^= busy->random << 17;
	return busy->random;
}

/* Of sixteen, fifteen are in the window, and one just before or behind it. */
static uint64_t choose(struct busy *busy)
{
	const uint64_t offset = draw(busy) % busy->how.size & ~UINT64_C(7);

	if (draw(busy) % 16)
		return busy->how.start + offset;
	return draw(busy) % 2 ? busy->how.start - 8 - offset % PAGE
	                      : busy->how.start + busy->how.size + offset % PAGE;
}

static bool is_inside(const struct busy *busy, uint64_t address)
{
	return address - busy->how.start < busy->how.size;
}

/* It has a page table, and is a master of the bus. With the machine locked. */
static bool may_work(const struct busy *busy)
{
	struct emu_dev *const dev = (struct emu_dev *)busy->device;

	return !dev->removed && emu_dev_at(dev, 0) &&
	       emu_pci_get(emu_pci_of(dev), EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_MASTER;
}

static int transfer(struct busy *busy, bool write, uint64_t address, uint64_t *word)
{
	struct libiommu_emu_transfer *started;
	int error =
		libiommu_emu_transfer_start(busy->device, write ? LIBIOMMU_EMU_TRANSFER_WRITE : 0,
	                                    0, address, word, sizeof(*word), &started);

	if (error)
		return error;
	do
		error = libiommu_emu_transfer_wait(started, A_MOMENT);
	while (error == -ETIMEDOUT && !atomic_load(&ended));
	libiommu_emu_transfer_end(started);
	return error;
}

/* -EAGAIN: it must not any more. Nobody can forbid it between the question and the access. */
static int reach(struct busy *busy, bool write, uint64_t address, uint64_t *word)
{
	struct libiommu_emu *const emu = ((struct emu_dev *)busy->device)->emu;
	int error;

	emu_lock(emu);
	if (!may_work(busy))
		error = -EAGAIN;
	else if (write)
		error = libiommu_emu_device_write(busy->device, 0, address, word, sizeof(*word),
		                                  NULL);
	else
		error = libiommu_emu_device_read(busy->device, 0, address, word, sizeof(*word),
		                                 NULL);
	emu_unlock(emu);
	return error == -EFAULT && busy->how.requests ? transfer(busy, write, address, word)
	                                              : error;
}

/* What is there is what it wrote last, and something else from now on. */
static int use(struct busy *busy, uint64_t address)
{
	const uint64_t offset = address - busy->how.start;
	uint64_t word = 0;
	int error = reach(busy, false, address, &word);

	if (error || !is_inside(busy, address))
		return error;
	busy->wrong += memcmp(&word, busy->copy + offset, sizeof(word)) != 0;
	word = draw(busy);
	error = reach(busy, true, address, &word);
	if (!error)
		memcpy(busy->copy + offset, &word, sizeof(word));
	return error;
}

static int ask(struct busy *busy, uint64_t address)
{
	uint32_t code = LIBIOMMU_EMU_ANSWER_INVALID;
	int error = libiommu_emu_request_page(
		busy->device, LIBIOMMU_EMU_REQUEST_WRITE | LIBIOMMU_EMU_REQUEST_LAST, 0,
		(uint32_t)busy->accesses & 0x1ff, address);

	if (error)
		return error;
	do
		error = libiommu_emu_request_answer(busy->device, A_MOMENT, NULL, NULL, &code);
	while (error == -ETIMEDOUT && !atomic_load(&ended));
	if (!error && code != LIBIOMMU_EMU_ANSWER_SUCCESS)
		error = -EFAULT;
	return error;
}

static bool step(struct busy *busy)
{
	const uint64_t address = choose(busy);
	const int error = busy->how.asks ? ask(busy, address) : use(busy, address);

	if (error && error != -EFAULT)
		return false;
	busy->accesses++;
	if (error)
		busy->refused++;
	else
		busy->done++;
	/* An address outside that is there, or one inside that is not. */
	busy->wrong += is_inside(busy, address) == !!error;
	if (!error && is_inside(busy, address))
		busy->touched[(address - busy->how.start) / PAGE] = 1;
	return busy->accesses != busy->how.count;
}

static void report(const struct busy *busy)
{
	FILE *file = busy->image ? fopen(busy->image, "we") : NULL;
	uint64_t pages = 0;
	char path[512];

	if (file) {
		fwrite(busy->copy, 1, busy->how.size, file);
		fclose(file);
	}
	for (uint64_t i = 0; i < busy->how.size / PAGE; i++)
		pages += busy->touched[i];
	snprintf(path, sizeof(path), "%s.new", busy->tell ? busy->tell : "");
	file = busy->tell ? fopen(path, "we") : NULL;
	if (!file)
		return;
	fprintf(file,
	        "%" PRIu64 " accesses, %" PRIu64 " done, %" PRIu64 " refused, %" PRIu64
	        " wrong, %" PRIu64 " pages\n",
	        busy->accesses, busy->done, busy->refused, busy->wrong, pages);
	fclose(file);
	rename(path, busy->tell);
}

static void *work(void *argument)
{
	struct busy *const busy = argument;
	struct libiommu_emu *const emu = ((struct emu_dev *)busy->device)->emu;
	bool begins = false;

	/* None of its calls is the program's. */
	emu_preload_enter();
	while (!begins && !atomic_load(&ended)) {
		usleep(1000);
		emu_lock(emu);
		begins = may_work(busy);
		emu_unlock(emu);
	}
	while (begins && !atomic_load(&ended) && step(busy))
		continue;
	report(busy);
	return NULL;
}

static void release(struct busy *busy)
{
	free(busy->copy);
	free(busy->touched);
	free(busy->tell);
	free(busy->image);
	free(busy);
}

static bool give_memory(struct busy *busy)
{
	busy->copy = calloc(1, busy->how.size);
	busy->touched = calloc(1, busy->how.size / PAGE);
	busy->tell = busy->how.tell ? strdup(busy->how.tell) : NULL;
	busy->image = busy->how.image ? strdup(busy->how.image) : NULL;
	return busy->copy && busy->touched && !busy->how.tell == !busy->tell &&
	       !busy->how.image == !busy->image;
}

int emu_preload_busy(struct libiommu_emu_device *device, const struct emu_preload_busy *how)
{
	struct busy *const busy = calloc(1, sizeof(*busy));
	int error;

	if (!busy)
		return -ENOMEM;
	busy->device = device;
	busy->how = *how;
	busy->random = how->start | 1;
	error = give_memory(busy) ? emu_thread_start(&busy->thread, work, busy) : -ENOMEM;
	if (error) {
		release(busy);
		return error;
	}
	process = getpid();
	busy->next = all;
	all = busy;
	return 0;
}

/* Its report is there when the program has ended. A child has no such thread. */
__attribute__((destructor)) static void end(void)
{
	if (getpid() != process)
		return;
	atomic_store(&ended, true);
	while (all) {
		struct busy *const busy = all;

		pthread_join(busy->thread, NULL);
		all = busy->next;
		release(busy);
	}
}
