/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Rings on real memory and real descriptors: a door through which libc is reached, that counts and
 * can fail any call, and can stop the clock. And a source that is a script: what a fault queue
 * would be.
 */
#ifndef LIBIOMMU_TESTS_RING_DOOR_H
#define LIBIOMMU_TESTS_RING_DOOR_H

#include "alloc.h"
#include "script.h"

#include "../../lib/fault/filler.h"
#include "../../lib/fault/reader.h"
#include "../../lib/fault/ring.h"

/* A context over the door that needs no kernel; and its end, where nothing may be left open. */
struct libiommu_ctx *ring_ctx(void);
void ring_ctx_close(struct libiommu_ctx *ctx);
struct libiommu_sys *ring_door(void);

/* The @nth call from now fails with -EIO; 0 ends that. Whether it came to that. */
void door_fail_nth(unsigned int nth);
bool door_failed(void);
/* Instead of the @nth call from now this process is killed. */
void door_die_nth(unsigned int nth);
/* Until told otherwise each dispatch fails, or each wait, with -EIO. */
void door_deny(bool dispatches, bool waits);
/* For how many milliseconds was waited last, as far as that had an end. */
int door_waited(void);
/* Called for each read() first, with its descriptor; -ENOSYS lets libc do it. NULL: not called. */
void door_on_read(ssize_t (*read)(int fd, void *buffer, size_t size));
/* The same for each write(). */
void door_on_write(ssize_t (*write)(int fd, const void *buffer, size_t size));
/* Called for each ioctl(), which is not counted; NULL: libc does it. */
void door_on_ioctl(libiommu_sys_ioctl_fn ioctl);
/* Called with what the context logs. */
void door_on_log(void (*log)(const char *message));
/* What is open and mapped through the door. */
int door_fds(void);
int door_maps(void);
/* Calls of any kind since the last time this was asked. */
unsigned int door_calls(void);
/* From now on the clock is what the test says; 0 returns to the real one. */
void door_clock(uint64_t ns);
/* Shared memory is mapped once for all, so that ThreadSanitizer sees both sides of it. */
void door_alias(bool on);

/* A ring with @records and @groups at most; a deadline of @deadline ns, 0 for none. */
struct libiommu_ring *ring_make(struct libiommu_ctx *ctx, uint32_t records, uint32_t groups,
                                uint64_t deadline);
uint64_t ring_count(struct libiommu_ring *ring, enum libiommu_ring_counter which);
/* What was published is accounted for, by itself and by the sum. */
void ring_check(struct libiommu_ring *ring);
/* The fd of the ring, polled without waiting: is there something to do? */
bool ring_ready(const struct libiommu_ring *ring);

#define FAKE_GROUPS 8192

/* Groups that were raised and not fetched, in order, and what became of each. */
struct fake {
	struct source source;
	int error; /* what the next call says instead of doing anything */
	uint32_t raised;
	uint32_t fetched;
	struct {
		uint32_t records;
		uint32_t attachment;
		uint64_t tag;
		uint8_t kind; /* 0: a fault, or the end of an attachment */
		bool detached;
		unsigned int answers;
		uint32_t code;
		bool stale; /* the answer is too late */
	} groups[FAKE_GROUPS];
};

void fake_init(struct fake *fake);
void fake_close(struct fake *fake);
/* Each returns the number of the group, which is also the address and the group of its records. */
uint32_t fake_raise(struct fake *fake, uint32_t records, uint32_t attachment);
uint32_t fake_detach(struct fake *fake, uint32_t attachment);
/* All that were fetched and are no DETACHED are answered exactly once. */
void fake_check(const struct fake *fake);

/* Take one group, whose number it returns, with its completion; fails the test if there is none. */
uint32_t reader_take(struct libiommu_reader *reader, struct libiommu_completion *completion);
/* Nothing to take: 0, or -EPIPE. */
int reader_none(struct libiommu_reader *reader);

#endif
