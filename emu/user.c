/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "user.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "channel.h"
#include "memcheck.h"

/*
 * What lies on the caller's own stack, above what is in use by now, is there: no system call is
 * needed to know. Most arguments are.
 */
static bool on_stack(uintptr_t at, size_t size)
{
	static _Thread_local uintptr_t top;
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	if (!top) {
		pthread_attr_t attr;
		void *low = NULL;
		size_t length = 0;

		if (pthread_getattr_np(pthread_self(), &attr))
			return false;
		pthread_attr_getstack(&attr, &low, &length);
		pthread_attr_destroy(&attr);
		top = (uintptr_t)low + length;
	}
	return at > here && at < top && size <= top - at;
}

uid_t emu_task_uid(const struct emu_task *task)
{
	return task->uid == EMU_UID_LATER ? geteuid() : task->uid;
}

static pid_t pid_of(const struct emu_task *task)
{
	return task->pid ? task->pid : getpid();
}

int emu_get(const struct emu_task *task, void *to, uintptr_t from, size_t size)
{
	const struct iovec here = {to, size};
	const struct iovec there = {(void *)from, size};

	if (!size)
		return 0;
	if (task->pid && emu_channel_is(task->pid))
		return emu_channel_read(to, from, size);
	if (!task->pid && on_stack(from, size)) {
		memcpy(to, (const void *)from, size);
		return 0;
	}
	return process_vm_readv(pid_of(task), &here, 1, &there, 1, 0) == (ssize_t)size ? 0
	                                                                               : -EFAULT;
}

int emu_put(const struct emu_task *task, uintptr_t to, const void *from, size_t size)
{
	const struct iovec here = {(void *)(uintptr_t)from, size};
	const struct iovec there = {(void *)to, size};

	if (!size)
		return 0;
	if (task->pid && emu_channel_is(task->pid))
		return emu_channel_write(to, from, size);
	if (!task->pid && on_stack(to, size)) {
		memcpy((void *)to, from, size);
		return 0;
	}
	if (process_vm_writev(pid_of(task), &here, 1, &there, 1, 0) != (ssize_t)size)
		return -EFAULT;
	if (!task->pid)
		emu_memcheck_defined(to, size);
	return 0;
}

/* What the kernel would say of one that is not all there, and of any that is long. */
static int get_in_parts(const struct emu_task *task, void *to, size_t size, uintptr_t from,
                        size_t user_size)
{
	const size_t common = user_size < size ? user_size : size;
	unsigned char rest[256];

	for (size_t at = size; at < user_size;) {
		const size_t part = user_size - at < sizeof(rest) ? user_size - at : sizeof(rest);

		if (emu_get(task, rest, from + at, part))
			return -EFAULT;
		for (size_t i = 0; i < part; i++)
			if (rest[i])
				return -E2BIG;
		at += part;
	}
	return emu_get(task, to, from, common);
}

int emu_get_struct(const struct emu_task *task, void *to, size_t size, uintptr_t from,
                   size_t user_size)
{
	unsigned char all[4096];

	if (user_size < size)
		memset((char *)to + user_size, 0, size - user_size);
	if (user_size <= size || user_size > sizeof(all) || emu_get(task, all, from, user_size))
		return get_in_parts(task, to, size, from, user_size);
	for (size_t i = size; i < user_size; i++)
		if (all[i])
			return -E2BIG;
	memcpy(to, all, size);
	return 0;
}
