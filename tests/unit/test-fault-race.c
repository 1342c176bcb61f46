/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Readers, answerers and changes of attachments at once, over a small model of what the kernel
 * does: cookies are the lowest that is free, and a detach answers what its attachment has
 * outstanding. The model knows which answer each fault must get; one that gets another one was
 * answered with a token of somebody else.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "alloc.h"
#include "script.h"

enum {
	FAKE_CTX = 200,
	FAKE_DEVICE = 201,
	FAKE_QUEUE = 202,
	PASIDS = 8,
	FAULTS = 40000,
	COOKIES = 512, /* at most so many are outstanding or wait */
	WORKERS = 3,
};

struct pending {
	uint32_t pasid; /* 0: free */
	uint32_t number;
};

static struct {
	pthread_mutex_t lock;
	bool attached[PASIDS + 1];
	struct pending waiting[COOKIES];
	uint32_t first, count;
	struct pending outstanding[COOKIES]; /* by cookie less one */
	unsigned int answered, dropped, wrong;
} kernel;

static atomic_bool done;

static void detach_pasid(uint32_t pasid)
{
	uint32_t kept = 0;

	kernel.attached[pasid] = false;
	for (uint32_t i = 0; i < kernel.count; i++) {
		const struct pending it = kernel.waiting[(kernel.first + i) % COOKIES];

		if (it.pasid == pasid)
			kernel.dropped++;
		else
			kernel.waiting[(kernel.first + kept++) % COOKIES] = it;
	}
	kernel.count = kept;
	for (uint32_t i = 0; i < COOKIES; i++)
		if (kernel.outstanding[i].pasid == pasid) {
			kernel.outstanding[i].pasid = 0;
			kernel.dropped++;
		}
}

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	(void)user;
	(void)fd;
	pthread_mutex_lock(&kernel.lock);
	if (request == UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD) {
		((struct uapi_vfio_device_bind_iommufd *)arg)->out_devid = 7;
	} else if (request == UAPI_IOC_GET_HW_INFO) {
		((struct uapi_hw_info *)arg)->out_max_pasid_log2 = 20;
	} else if (request == UAPI_IOC_FAULT_QUEUE_ALLOC) {
		((struct uapi_fault_alloc *)arg)->out_fault_id = 8;
		((struct uapi_fault_alloc *)arg)->out_fault_fd = FAKE_QUEUE;
	} else if (request == UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT) {
		const uint32_t pasid = ((struct uapi_vfio_device_attach_iommufd_pt *)arg)->pasid;

		/* A replacement ends what was there, too. */
		detach_pasid(pasid);
		kernel.attached[pasid] = true;
	} else if (request == UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT) {
		detach_pasid(((struct uapi_vfio_device_detach_iommufd_pt *)arg)->pasid);
	}
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

static ssize_t fake_read(void *user, int fd, void *buffer, size_t size)
{
	struct uapi_hwpt_pgfault *const records = buffer;
	size_t got = 0;
	uint32_t cookie = 1;

	(void)user;
	(void)fd;
	pthread_mutex_lock(&kernel.lock);
	while (kernel.count && got < size / sizeof(*records)) {
		const struct pending it = kernel.waiting[kernel.first];

		while (kernel.outstanding[cookie - 1].pasid)
			cookie++;
		kernel.first = (kernel.first + 1) % COOKIES;
		kernel.count--;
		kernel.outstanding[cookie - 1] = it;
		records[got++] = (struct uapi_hwpt_pgfault){
			.flags = UAPI_PGFAULT_FLAGS_PASID_VALID | UAPI_PGFAULT_FLAGS_LAST_PAGE,
			.dev_id = 7,
			.pasid = it.pasid,
			.addr = it.number,
			.cookie = cookie,
		};
	}
	pthread_mutex_unlock(&kernel.lock);
	return (ssize_t)(got * sizeof(*records));
}

static ssize_t fake_write(void *user, int fd, const void *buffer, size_t size)
{
	const struct uapi_hwpt_page_response *const answers = buffer;
	size_t took = 0;

	(void)user;
	(void)fd;
	pthread_mutex_lock(&kernel.lock);
	for (; took < size / sizeof(*answers); took++) {
		struct pending *const it = &kernel.outstanding[answers[took].cookie - 1];

		if (!it->pasid)
			break;
		kernel.wrong += answers[took].code != it->number % 2;
		kernel.answered++;
		it->pasid = 0;
	}
	pthread_mutex_unlock(&kernel.lock);
	return took ? (ssize_t)(took * sizeof(*answers)) : -EINVAL;
}

static int fake_open(void *user, const char *path, int flags)
{
	(void)user;
	(void)flags;
	return strcmp(path, "/dev/iommu") ? FAKE_DEVICE : FAKE_CTX;
}

static int fake_close(void *user, int fd)
{
	(void)user;
	(void)fd;
	return 0;
}

/* One more fault if there is room; its PASID has something, as far as this thread goes. */
static bool make_fault(uint32_t number)
{
	const uint32_t pasid = number % PASIDS + 1;
	bool made = false;

	pthread_mutex_lock(&kernel.lock);
	if (kernel.attached[pasid] && kernel.count < COOKIES / 16) {
		kernel.waiting[(kernel.first + kernel.count++) % COOKIES] =
			(struct pending){pasid, number};
		made = true;
	}
	pthread_mutex_unlock(&kernel.lock);
	return made;
}

static struct libiommu_fault_queue *queue;
static atomic_uint stale_answers;
static atomic_uint untrue; /* not in the caller's terms */

static void *work(void *arg)
{
	struct libiommu_fault_batch *const batch = arg;
	struct libiommu_fault_response responses[16];

	for (;;) {
		const bool last = atomic_load(&done);
		const int got = libiommu_fault_queue_read(queue, batch);
		size_t stale = 0;

		for (int i = 0; i < got; i++) {
			const struct libiommu_record *const fault =
				libiommu_fault_batch_get(batch, (size_t)i);

			if (fault->label != 1 || fault->tag != fault->vpasid ||
			    fault->vpasid != fault->address % PASIDS + 1)
				atomic_fetch_add(&untrue, 1);
			responses[i].token = fault->token;
			responses[i].code = fault->address % 2;
		}
		if (got > 0)
			libiommu_fault_queue_respond(queue, responses, (size_t)got, &stale);
		atomic_fetch_add(&stale_answers, (unsigned int)stale);
		if (last && !got)
			return NULL;
	}
}

static void test_every_fault_gets_its_own_answer(void **state)
{
	struct libiommu_fault_batch *batches[WORKERS];
	struct libiommu_ctx_config *config;
	struct libiommu_hwpt *tables[2];
	struct libiommu_device *dev;
	pthread_t workers[WORKERS];
	struct libiommu_ctx *ctx;
	uint32_t pasid;

	(void)state;
	pthread_mutex_init(&kernel.lock, NULL);
	libiommu_sys_set_open(script_door(), fake_open);
	libiommu_sys_set_close(script_door(), fake_close);
	libiommu_sys_set_ioctl(script_door(), fake_ioctl);
	libiommu_sys_set_read(script_door(), fake_read);
	libiommu_sys_set_write(script_door(), fake_write);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, script_door()), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_device_open_node(ctx, "device", &dev), 0);
	assert_int_equal(libiommu_device_bind(dev, 1, NULL, 0), 0);
	assert_int_equal(libiommu_fault_queue_alloc(ctx, &queue), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(libiommu_hwpt_adopt(ctx, 20 + i, LIBIOMMU_ID_BORROW, &tables[i]),
		                 0);
		assert_int_equal(libiommu_hwpt_name_fault_queue(tables[i], queue), 0);
	}
	for (uint32_t i = 1; i <= PASIDS; i++)
		assert_int_equal(libiommu_pasid_attach(dev, i, tables[0], i, &pasid), 0);
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(libiommu_fault_batch_new(16, &batches[i]), 0);
		assert_int_equal(pthread_create(&workers[i], NULL, work, batches[i]), 0);
	}
	for (uint32_t number = 0; number < FAULTS; number++) {
		const uint32_t vpasid = number / 8 % PASIDS + 1;

		/* Changes must not be faster than readers, or there is nobody to disturb. */
		while (!make_fault(number))
			sched_yield();
		if (number % 64 == 7) {
			assert_int_equal(libiommu_pasid_detach(dev, vpasid), 0);
			assert_int_equal(
				libiommu_pasid_attach(dev, vpasid, tables[0], vpasid, &pasid), 0);
		} else if (number % 64 == 15) {
			assert_int_equal(libiommu_pasid_replace(dev, vpasid, tables[1], vpasid), 0);
			assert_int_equal(libiommu_pasid_replace(dev, vpasid, tables[0], vpasid), 0);
		}
	}
	atomic_store(&done, true);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i], NULL);
		libiommu_fault_batch_free(batches[i]);
	}
	assert_int_equal(kernel.wrong, 0);
	assert_int_equal(atomic_load(&untrue), 0);
	assert_int_equal(kernel.answered + kernel.dropped, FAULTS);
	print_message("# %u answered, %u ended by the kernel, %u late answers\n", kernel.answered,
	              kernel.dropped, atomic_load(&stale_answers));
	/* There was something to be got wrong. */
	assert_true(kernel.answered > 0 && kernel.dropped > 0);
	assert_int_equal(libiommu_device_destroy(dev), 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(libiommu_hwpt_destroy(tables[i]), 0);
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_every_fault_gets_its_own_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
