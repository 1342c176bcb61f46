/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A guest on VT-d, through the library: its page table is in its own memory, a device does DMA
 * through that and the host's table under it, and asks for the pages that the guest has not mapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libiommu-emu.h>
#include <libiommu.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, GUEST = 64 * PAGE, LABEL = 0x1abe1, VPASID = 5, TAG = 77, PASID_BITS = 20 };
/* Where things are in the guest's memory, by page; and bits of its page table. */
enum { ROOT = 1, LEAVES = 4, DATA = 16, OTHER = 32 };
enum { PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40, EXTENDED = 0x400 };

/* Where the guest lies in the host's table: not where its memory is. */
#define BASE UINT64_C(0x40000000)
/* An address of the guest's program, at the first entry of its last table. */
#define VA UINT64_C(0x7f1234400000)

struct guest {
	struct libiommu_emu *emu;
	struct libiommu_emu_device *hardware;
	struct libiommu_ctx *ctx;
	struct libiommu_device *dev;
	struct libiommu_pasid_space *space;
	struct libiommu_ioas *ioas;
	struct libiommu_hwpt *parent;
	struct libiommu_hwpt *nested;
	struct libiommu_fault_queue *queue;
	uint8_t *memory;
	uint32_t pasid;
};

static uint64_t gpa(unsigned int page)
{
	return BASE + (uint64_t)page * PAGE;
}

static uint64_t *entry(struct guest *guest, unsigned int table, unsigned int index)
{
	return (uint64_t *)(void *)(guest->memory + (size_t)table * PAGE) + index;
}

static void map_page(struct guest *guest, unsigned int index, unsigned int page)
{
	*entry(guest, LEAVES, index) = gpa(page) | PRESENT | WRITABLE | USER;
}

static void make_tables(struct guest *guest)
{
	for (unsigned int level = 0; level < 3; level++)
		*entry(guest, ROOT + level, VA >> (39 - 9 * level) & 0x1ff) =
			gpa(ROOT + level + 1) | PRESENT | WRITABLE | USER;
	for (unsigned int i = 0; i < 4; i++)
		map_page(guest, i, DATA + i);
}

static struct libiommu_emu_device *add_device(struct guest *guest, uint32_t flags)
{
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *added;
	struct libiommu_emu_iommu *iommu;

	assert_int_equal(libiommu_emu_iommu_add_vtd(guest->emu, LIBIOMMU_EMU_VTD_EXTENDED_ACCESSED,
	                                            PASID_BITS, &iommu),
	                 0);
	assert_int_equal(libiommu_emu_device_config_new(&config), 0);
	assert_int_equal(libiommu_emu_device_config_set_iommu(config, iommu), 0);
	assert_int_equal(libiommu_emu_device_config_set_pasid_bits(config, PASID_BITS), 0);
	assert_int_equal(libiommu_emu_device_config_set_flags(config, flags), 0);
	assert_int_equal(libiommu_emu_device_add(guest->emu, config, &added), 0);
	libiommu_emu_device_config_free(config);
	return added;
}

static void open_device(struct guest *guest)
{
	struct libiommu_ctx_config *config;

	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, libiommu_emu_door(guest->emu)), 0);
	assert_int_equal(libiommu_ctx_new(config, &guest->ctx), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_device_open_pci(guest->ctx,
	                                          libiommu_emu_device_address(guest->hardware),
	                                          &guest->dev),
	                 0);
	assert_int_equal(libiommu_device_bind(guest->dev, LABEL, NULL, 0), 0);
	assert_int_equal(libiommu_pasid_space_new(guest->ctx, 0, &guest->space), 0);
	assert_int_equal(libiommu_pasid_space_join(guest->space, guest->dev), 0);
}

static struct libiommu_hwpt *table(struct guest *guest, uint32_t flags)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, flags), 0);
	assert_int_equal(libiommu_hwpt_alloc(guest->dev, guest->ioas, config, &hwpt), 0);
	libiommu_hwpt_config_free(config);
	return hwpt;
}

static struct libiommu_hwpt *nest(struct guest *guest, uint32_t width, uint64_t flags,
                                  struct libiommu_fault_queue *queue)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_vtd_s1(config, gpa(ROOT), width, flags), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID), 0);
	if (queue)
		assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, queue), 0);
	assert_int_equal(libiommu_hwpt_alloc_nested(guest->dev, guest->parent, config, &hwpt), 0);
	libiommu_hwpt_config_free(config);
	return hwpt;
}

static struct guest *guest_new(uint32_t flags)
{
	struct guest *const guest = calloc(1, sizeof(*guest));

	assert_non_null(guest);
	assert_int_equal(libiommu_emu_new(&guest->emu), 0);
	guest->hardware = add_device(guest, flags);
	open_device(guest);
	guest->memory =
		mmap(NULL, GUEST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(guest->memory != MAP_FAILED);
	for (size_t i = DATA * PAGE; i < GUEST; i++)
		guest->memory[i] = (uint8_t)rand();
	make_tables(guest);
	assert_int_equal(libiommu_ioas_alloc(guest->ctx, &guest->ioas), 0);
	guest->parent = table(guest, LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_DIRTY_TRACKING |
	                                     LIBIOMMU_HWPT_PASID);
	assert_int_equal(libiommu_ioas_map_fixed(guest->ioas, guest->memory, GUEST,
	                                         LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE, BASE),
	                 0);
	assert_int_equal(libiommu_fault_queue_alloc(guest->ctx, &guest->queue), 0);
	return guest;
}

static int setup(void **state)
{
	struct guest *const guest = guest_new(LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS);

	guest->nested = nest(guest, 48, LIBIOMMU_VTD_S1_EAFE, guest->queue);
	assert_int_equal(
		libiommu_pasid_attach(guest->dev, VPASID, guest->nested, TAG, &guest->pasid), 0);
	*state = guest;
	return 0;
}

static void guest_end(struct guest *guest)
{
	assert_int_equal(libiommu_device_destroy(guest->dev), 0);
	assert_int_equal(libiommu_hwpt_destroy(guest->nested), 0);
	assert_int_equal(libiommu_hwpt_destroy(guest->parent), 0);
	assert_int_equal(libiommu_fault_queue_destroy(guest->queue), 0);
	assert_int_equal(libiommu_pasid_space_destroy(guest->space), 0);
	assert_int_equal(libiommu_ioas_destroy(guest->ioas), 0);
	assert_int_equal(libiommu_ctx_destroy(guest->ctx), 0);
	assert_int_equal(libiommu_emu_destroy(guest->emu), 0);
	munmap(guest->memory, GUEST);
	free(guest);
}

static int teardown(void **state)
{
	struct guest *const guest = *state;

	libiommu_pasid_detach(guest->dev, VPASID);
	guest_end(guest);
	return 0;
}

static int dma_read(struct guest *guest, uint64_t va, void *to, size_t size)
{
	return libiommu_emu_device_read(guest->hardware, guest->pasid, va, to, size, NULL);
}

static int dma_write(struct guest *guest, uint64_t va, const void *from, size_t size)
{
	return libiommu_emu_device_write(guest->hardware, guest->pasid, va, from, size, NULL);
}

static void through_both_stages(void **state)
{
	struct guest *const guest = *state;
	uint8_t bytes[PAGE];

	assert_int_equal(dma_read(guest, VA + 100, bytes, PAGE), 0);
	assert_memory_equal(bytes, guest->memory + DATA * PAGE + 100, PAGE);
	for (unsigned int level = 0; level < 3; level++)
		assert_int_equal(*entry(guest, ROOT + level, VA >> (39 - 9 * level) & 0x1ff) &
		                         (ACCESSED | EXTENDED | DIRTY),
		                 ACCESSED | EXTENDED);
	assert_int_equal(*entry(guest, LEAVES, 0) & (ACCESSED | EXTENDED | DIRTY),
	                 ACCESSED | EXTENDED);
	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(dma_write(guest, VA + PAGE, bytes, 16), 0);
	assert_memory_equal(guest->memory + (DATA + 1) * PAGE, bytes, 16);
	assert_int_equal(*entry(guest, LEAVES, 1) & DIRTY, DIRTY);
	assert_int_equal(*entry(guest, LEAVES, 0) & DIRTY, 0);
	/* Nothing is there without the PASID. */
	assert_int_equal(libiommu_emu_device_read(guest->hardware, 0, VA, bytes, 1, NULL), -EFAULT);
}

/* Where the guest maps another page, the old one is used until it says so. */
static void stale_until_invalidated(void **state)
{
	struct guest *const guest = *state;
	struct libiommu_vtd_batch *batch;
	uint8_t bytes[16];

	assert_int_equal(dma_read(guest, VA, bytes, sizeof(bytes)), 0);
	map_page(guest, 0, OTHER);
	assert_int_equal(dma_read(guest, VA, bytes, sizeof(bytes)), 0);
	assert_memory_equal(bytes, guest->memory + DATA * PAGE, sizeof(bytes));
	assert_int_equal(libiommu_vtd_batch_new(guest->ctx, &batch), 0);
	/* Its neighbour is not it. */
	assert_int_equal(libiommu_vtd_batch_add(batch, guest->dev, VPASID, VA + PAGE, PAGE, 0, 0),
	                 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	assert_int_equal(dma_read(guest, VA, bytes, sizeof(bytes)), 0);
	assert_memory_equal(bytes, guest->memory + DATA * PAGE, sizeof(bytes));
	assert_int_equal(libiommu_vtd_batch_add(batch, guest->dev, VPASID, VA, PAGE,
	                                        LIBIOMMU_INVALIDATE_LEAF, 0),
	                 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	assert_int_equal(dma_read(guest, VA, bytes, sizeof(bytes)), 0);
	assert_memory_equal(bytes, guest->memory + OTHER * PAGE, sizeof(bytes));
	libiommu_vtd_batch_free(batch);
}

/* What the host unmaps is gone at once: the kernel invalidates for itself. */
static void gone_with_the_second_stage(void **state)
{
	struct guest *const guest = *state;
	uint8_t bytes[16];

	assert_int_equal(dma_read(guest, VA, bytes, sizeof(bytes)), 0);
	assert_int_equal(libiommu_ioas_unmap(guest->ioas, BASE, GUEST), 0);
	assert_int_equal(dma_read(guest, VA, bytes, sizeof(bytes)), -EFAULT);
}

/* The pages that are asked for, in order; then all of them are mapped, or none. */
static void serve(struct guest *guest, size_t pages, enum libiommu_fault_code code)
{
	struct libiommu_fault_response response = {.code = code};
	struct libiommu_fault_batch *batch;

	assert_int_equal(libiommu_fault_batch_new(64, &batch), 0);
	assert_int_equal(libiommu_fault_queue_wait(guest->queue, 1000), 1);
	assert_int_equal(libiommu_fault_queue_read(guest->queue, batch), (int)pages);
	for (size_t i = 0; i < pages; i++) {
		const struct libiommu_record *const record = libiommu_fault_batch_get(batch, i);

		assert_int_equal(record->label, LABEL);
		assert_int_equal(record->vpasid, VPASID);
		assert_int_equal(record->tag, TAG);
		assert_int_equal(record->address, VA + (4 + i) * PAGE);
		assert_int_equal(record->permissions, LIBIOMMU_FAULT_READ);
		assert_int_equal(!!(record->flags & LIBIOMMU_RECORD_LAST), i == pages - 1);
		if (code == LIBIOMMU_FAULT_SUCCESS)
			map_page(guest, 4 + (unsigned int)i, OTHER + (unsigned int)i);
		response.token = record->token;
	}
	assert_int_equal(libiommu_fault_queue_respond(guest->queue, &response, 1, NULL), 1);
	libiommu_fault_batch_free(batch);
}

/* One group for all that is missing, and no byte before it is there. */
static void asks_for_what_is_missing(void **state)
{
	struct guest *const guest = *state;
	struct libiommu_emu_transfer *transfer;
	uint8_t bytes[4 * PAGE];

	assert_int_equal(libiommu_emu_transfer_start(guest->hardware, 0, guest->pasid,
	                                             VA + 3 * PAGE, bytes, sizeof(bytes),
	                                             &transfer),
	                 0);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, 0), -ETIMEDOUT);
	assert_int_equal(libiommu_emu_transfer_done(transfer), PAGE);
	serve(guest, 3, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, 1000), 0);
	assert_int_equal(libiommu_emu_transfer_done(transfer), sizeof(bytes));
	assert_memory_equal(bytes, guest->memory + (DATA + 3) * PAGE, PAGE);
	assert_memory_equal(bytes + PAGE, guest->memory + OTHER * PAGE, 3 * PAGE);
	libiommu_emu_transfer_end(transfer);
}

static void takes_no_for_an_answer(void **state)
{
	struct guest *const guest = *state;
	struct libiommu_emu_transfer *transfer;
	uint8_t bytes[PAGE];

	assert_int_equal(libiommu_emu_transfer_start(guest->hardware, 0, guest->pasid,
	                                             VA + 4 * PAGE, bytes, sizeof(bytes),
	                                             &transfer),
	                 0);
	serve(guest, 1, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, -1), -EFAULT);
	assert_int_equal(libiommu_emu_transfer_done(transfer), 0);
	libiommu_emu_transfer_end(transfer);
}

/* What is attached ends, and with it what waits for it; a transfer can be given up before. */
static void ends_with_its_page_table(void **state)
{
	struct guest *const guest = *state;
	struct libiommu_emu_transfer *first, *second;
	uint8_t bytes[PAGE];

	assert_int_equal(libiommu_emu_transfer_start(guest->hardware, 0, guest->pasid,
	                                             VA + 4 * PAGE, bytes, sizeof(bytes), &first),
	                 0);
	assert_int_equal(libiommu_emu_transfer_start(guest->hardware, LIBIOMMU_EMU_TRANSFER_WRITE,
	                                             guest->pasid, VA + 5 * PAGE, bytes,
	                                             sizeof(bytes), &second),
	                 0);
	libiommu_emu_transfer_end(second);
	assert_int_equal(libiommu_emu_transfer_wait(first, 1), -ETIMEDOUT);
	assert_int_equal(libiommu_pasid_detach(guest->dev, VPASID), 0);
	assert_int_equal(libiommu_emu_transfer_wait(first, 1000), -EFAULT);
	libiommu_emu_transfer_end(first);
}

/* An entry that is none cannot be mended by a page. */
static void nonsense_of_a_guest(void **state)
{
	struct guest *const guest = *state;
	struct libiommu_emu_transfer *transfer;
	uint8_t byte;

	*entry(guest, LEAVES, 4) = UINT64_C(1) << 63 | PRESENT | USER;
	assert_int_equal(libiommu_emu_transfer_start(guest->hardware, 0, guest->pasid,
	                                             VA + 4 * PAGE, &byte, 1, &transfer),
	                 0);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, 0), -EIO);
	libiommu_emu_transfer_end(transfer);
	assert_int_equal(libiommu_emu_transfer_start(guest->hardware, 8, 0, 0, &byte, 1, &transfer),
	                 -EINVAL);
	assert_int_equal(
		libiommu_emu_transfer_start(guest->hardware, 0, 0, UINT64_MAX, &byte, 2, &transfer),
		-EINVAL);
}

/* Pages that a device has written are told by the second stage, whatever the guest's says. */
static void written_pages(void **state)
{
	struct guest *const guest = *state;
	uint64_t bitmap[GUEST / PAGE / 64] = {0}, done;
	const char byte = 1;

	assert_int_equal(libiommu_hwpt_set_dirty_tracking(guest->parent, true), 0);
	assert_int_equal(dma_write(guest, VA + 2 * PAGE, &byte, 1), 0);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(guest->parent, BASE, GUEST, PAGE, 0, bitmap,
	                                                GUEST / PAGE / 64, &done),
	                 0);
	/* The page itself, and those of the tables that have been marked. */
	assert_int_equal(bitmap[0], UINT64_C(1) << (DATA + 2) | 0x1e);
}

/* The device must be able to ask, and the hardware to walk. */
static void what_cannot_be_attached(void **state)
{
	struct guest *const guest = guest_new(0);
	struct libiommu_emu_transfer *transfer;
	uint32_t pasid;
	char byte;

	(void)state;
	guest->nested = nest(guest, 48, 0, guest->queue);
	assert_int_equal(libiommu_pasid_attach(guest->dev, VPASID, guest->nested, 0, &pasid),
	                 -ENODEV);
	assert_int_equal(libiommu_emu_transfer_start(guest->hardware, 0, 0, 0, &byte, 1, &transfer),
	                 -EOPNOTSUPP);
	assert_int_equal(libiommu_hwpt_destroy(guest->nested), 0);
	guest->nested = nest(guest, 57, 0, NULL);
	assert_int_equal(libiommu_pasid_attach(guest->dev, VPASID, guest->nested, 0, &pasid),
	                 -EINVAL);
	assert_int_equal(libiommu_hwpt_destroy(guest->nested), 0);
	guest->nested = nest(guest, 48, LIBIOMMU_VTD_S1_SRE, NULL);
	assert_int_equal(libiommu_pasid_attach(guest->dev, VPASID, guest->nested, 0, &pasid),
	                 -EINVAL);
	guest_end(guest);
}

static void says_what_it_is(void **state)
{
	struct guest *const guest = *state;
	struct libiommu_hw_info *info;
	const void *data;
	uint64_t value;
	size_t length;
	uint32_t type;

	assert_int_equal(libiommu_hw_info_get(guest->dev, &info), 0);
	assert_int_equal(libiommu_hw_info_raw(info, &type, &data, &length), 0);
	assert_int_equal(type, LIBIOMMU_HW_INFO_VTD);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_VTD_NESTED_TRANSLATION, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(libiommu_hw_info_field(info, LIBIOMMU_VTD_PASID_WIDTH, &value), 0);
	assert_int_equal(value, PASID_BITS);
	libiommu_hw_info_free(info);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(through_both_stages),
		TEST(stale_until_invalidated),
		TEST(gone_with_the_second_stage),
		TEST(asks_for_what_is_missing),
		TEST(takes_no_for_an_answer),
		TEST(ends_with_its_page_table),
		TEST(nonsense_of_a_guest),
		TEST(written_pages),
		cmocka_unit_test(what_cannot_be_attached),
		TEST(says_what_it_is),
	};

	srand(1);
	return cmocka_run_group_tests_name("vtd", tests, NULL, NULL);
}
