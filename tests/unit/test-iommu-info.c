/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That iommu-info shows what is there, undoes what it did, and prints JSON that is JSON. */
#include "fake-pci.h"
#include "objects.h"
#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../examples/iommu-info/info.h"

#define READY   "0000:01:00.0"
#define BUSY    "0000:02:00.0"
#define BRIDGE  "0000:00:01.0"
#define IOAS_ID 9

static void make_machine(void)
{
	fake_pci(&(const struct fake_pci){.address = READY,
	                                  .vendor = "0x1b36",
	                                  .device = "0x0010",
	                                  .class_code = "0x010802",
	                                  .driver = "vfio-pci",
	                                  .iommu = "dmar0",
	                                  .group = "5",
	                                  .vfio = "vfio0"});
	fake_pci(&(const struct fake_pci){.address = BUSY,
	                                  .class_code = "0x020000",
	                                  .driver = "say \"hi\"\\\t\xff",
	                                  .group = "6"});
	fake_pci(&(const struct fake_pci){
		.address = BRIDGE, .class_code = "0x060400", .driver = "pcieport", .group = "1"});
	fake_bus(READY " " BUSY " " BRIDGE);
	fake_group("5", READY);
}

static void expect_open(void)
{
	EXPECT_OPEN("/dev/iommu", CTX_FD);
}

/* Everything up to the ioctls of 6.8 is there, the rest is not, and one answer is neither. */
static void expect_features(void)
{
	const uint32_t size = sizeof(size);

	for (int i = 0; libiommu_feature_name(i); i++)
		EXPECT(IOCTL, .fd = CTX_FD, .request = UAPI_IO(UAPI_CMD_BASE + (unsigned int)i),
		       .name = "feature", .in = &size, .in_size = sizeof(size),
		       .result = i <= LIBIOMMU_FEATURE_HWPT_INVALIDATE       ? -EINVAL
		                 : i == LIBIOMMU_FEATURE_IOAS_NOIOMMU_GET_PA ? -EACCES
		                                                             : -ENOTTY);
}

static void gather(struct info *info, bool probe)
{
	char error[REASON_MAX] = "";

	if (info_gather(info, script_door(), probe, NULL, 0, error))
		fail_msg("%s", error);
	script_done();
	assert_int_equal(paths_open_fds(), 0);
}

/* The output of a printing function; freed by the caller. */
static char *print(const struct info *info, void (*printer)(const struct info *, FILE *))
{
	FILE *const file = tmpfile();
	char *text;
	size_t size;

	assert_non_null(file);
	printer(info, file);
	size = (size_t)ftell(file);
	rewind(file);
	text = calloc(1, size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, size, file), size);
	fclose(file);
	return text;
}

static void assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void assert_table_has(const struct info *info, const char *words)
{
	char *const text = print(info, info_print_table);

	assert_has(text, words);
	free(text);
}

/* What a reader of JSON understands: an expression in Python about "d", the whole of it. */
static void assert_json(const struct info *info, const char *expression)
{
	char *const text = print(info, info_print_json);
	char path[] = "/tmp/libiommu-test-XXXXXX";
	char command[1024];
	const int fd = mkstemp(path);
	int status;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(command, sizeof(command),
	         "python3 -c 'import json, sys; d = json.load(open(\"%s\")); "
	         "sys.exit(0 if %s else 1)'",
	         path, expression);
	status = system(command);
	unlink(path);
	if (status)
		fail_msg("not so: %s\n%s", expression, text);
	free(text);
}

static bool python_is_missing(void)
{
	return system("python3 -c 'import json' 2>/dev/null") != 0;
}

#define NEED_PYTHON                                                                                \
	do {                                                                                       \
		if (python_is_missing()) {                                                         \
			print_message("skipped: there is no python3 to read the JSON with\n");     \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* Neither iommufd nor what was there before it. */
static void expect_nothing(void)
{
	EXPECT(OPEN, .path = "/dev/iommu", .flags = 2, .result = -ENOENT);
	EXPECT(OPEN, .path = "/dev/vfio/vfio", .flags = 2, .result = -ENOENT);
}

static void test_a_machine_without_iommufd(void **state)
{
	struct info info;

	(void)state;
	make_machine();
	expect_nothing();
	gather(&info, false);
	assert_false(info_probe_failed(&info));
	assert_table_has(&info, "/dev/iommu   libiommu_ctx_new: ENOENT from the kernel");
	assert_table_has(&info, "Kernel features: not known");
	assert_table_has(&info, BRIDGE);
	info_free(&info);
}

/* What stands in for it is told, and the devices are ready all the same. */
static void test_a_machine_with_containers(void **state)
{
	struct info info;

	(void)state;
	fake_pci(&(const struct fake_pci){.address = READY,
	                                  .driver = "vfio-pci",
	                                  .group = "5",
	                                  .vfio = "vfio0",
	                                  .no_node = 1});
	fake_bus(READY);
	fake_group("5", READY);
	path_link("/sys/class/misc/vfio/subsystem", "../../../../class/misc");
	EXPECT(OPEN, .path = "/dev/iommu", .flags = 2, .result = -ENOENT);
	EXPECT(OPEN, .path = "/dev/vfio/vfio", .flags = 2, .result = CTX_FD);
	EXPECT_IOCTL(CTX_FD, VFIO_GET_API_VERSION);
	EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_TYPE1v2_IOMMU), .result = 1);
	gather(&info, false);
	assert_table_has(&info, "/dev/iommu   not there; VFIO's legacy containers (type 1)");
	assert_table_has(&info, "ready: by its group");
	assert_int_equal(info.features[0], 0);
	info_free(&info);
}

static void test_the_json_of_a_machine_without_iommufd(void **state)
{
	struct info info;

	(void)state;
	NEED_PYTHON;
	make_machine();
	EXPECT(OPEN, .path = "/dev/iommu", .flags = 2, .result = -EACCES);
	gather(&info, true);
	/* It was asked for, a device is ready, and nothing came of it. */
	assert_true(info_probe_failed(&info));
	assert_table_has(&info, "No device to probe: /dev/iommu does not open.");
	assert_json(&info, "d[\"iommufd\"][\"opens\"] is False");
	assert_json(&info, "\"EACCES\" in d[\"iommufd\"][\"error\"]");
	assert_json(&info, "all(f[\"present\"] is None for f in d[\"features\"])");
	assert_json(&info, "all(v[\"probe\"] is None for v in d[\"devices\"])");
	info_free(&info);
}

static void test_features(void **state)
{
	struct info info;

	(void)state;
	expect_open();
	expect_features();
	gather(&info, false);
	assert_table_has(&info, "IOMMU_HWPT_INVALIDATE          present  6.8\n");
	assert_table_has(&info, "IOMMU_FAULT_QUEUE_ALLOC        absent   6.11\n");
	assert_table_has(&info, "IOMMU_IOAS_NOIOMMU_GET_PA      unknown  7.3\n");
	assert_table_has(&info, "PCI devices\n  none\n");
	info_free(&info);
}

static void test_the_json_of_features(void **state)
{
	struct info info;

	(void)state;
	NEED_PYTHON;
	expect_open();
	expect_features();
	gather(&info, false);
	assert_json(&info, "d[\"format\"] == 1 and d[\"iommufd\"] == {\"opens\": True, "
	                   "\"error\": None} and d[\"devices\"] == []");
	assert_json(&info, "[f[\"present\"] for f in d[\"features\"]] == "
	                   "[True] * 14 + [False] * 7 + [None]");
	assert_json(&info, "d[\"features\"][0] == {\"name\": \"IOMMU_DESTROY\", \"since\": "
	                   "\"6.2\", \"present\": True}");
	info_free(&info);
}

static void test_devices(void **state)
{
	struct info info;

	(void)state;
	make_machine();
	expect_open();
	expect_features();
	gather(&info, false);
	assert_table_has(&info, "0000:01:00.0  1b36:0010  010802  vfio-pci");
	assert_table_has(&info, "5      dmar0  ready: /dev/vfio/devices/vfio0\n");
	assert_table_has(&info, "bridge\n");
	assert_table_has(&info, "host-driver [1]\n");
	assert_table_has(&info, "  [1] driver say");
	assert_table_has(&info, "--probe opens the devices that are ready");
	info_free(&info);
}

static void test_the_json_of_devices(void **state)
{
	struct info info;

	(void)state;
	NEED_PYTHON;
	make_machine();
	expect_open();
	expect_features();
	gather(&info, false);
	assert_json(&info, "[v[\"address\"] for v in d[\"devices\"]] == [\"" BRIDGE "\", \"" READY
	                   "\", \"" BUSY "\"]");
	assert_json(&info, "[v[\"ready\"] for v in d[\"devices\"]] == [False, True, False]");
	assert_json(&info, "[v[\"obstacle\"] for v in d[\"devices\"]] == "
	                   "[\"bridge\", None, \"host-driver\"]");
	assert_json(&info, "[v[\"group\"] for v in d[\"devices\"]] == [1, 5, 6]");
	assert_json(&info, "d[\"devices\"][1][\"class\"] == \"0x010802\" and "
	                   "d[\"devices\"][1][\"advice\"] is None");
	/* Whatever a name has in it. */
	assert_json(&info, "[ord(c) for c in d[\"devices\"][2][\"driver\"]] == "
	                   "[115, 97, 121, 32, 34, 104, 105, 34, 92, 9, 255]");
	info_free(&info);
}

/* One note for all that share it. */
static void test_shared_advice(void **state)
{
	const char *note;
	struct info info;
	char *text;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		char address[16];

		snprintf(address, sizeof(address), "0000:00:0%d.0", i);
		fake_pci(&(const struct fake_pci){
			.address = address, .driver = "d", .group = i == 2 ? "4" : NULL});
	}
	fake_bus("0000:00:01.0 0000:00:02.0 0000:00:03.0");
	expect_nothing();
	gather(&info, true);
	assert_false(info_probe_failed(&info));
	assert_table_has(&info,
	                 "0000:00:01.0  0000:0000  000000  d       -      -      no-iommu [1]");
	assert_table_has(&info,
	                 "0000:00:02.0  0000:0000  000000  d       4      -      host-driver [2]");
	assert_table_has(&info,
	                 "0000:00:03.0  0000:0000  000000  d       -      -      no-iommu [1]");
	assert_table_has(&info, "No device to probe: none is ready.");
	text = print(&info, info_print_table);
	note = strstr(text, "  [1] ");
	assert_non_null(note);
	assert_null(strstr(note + 1, "  [1] "));
	assert_non_null(strstr(note, "  [2] "));
	assert_null(strstr(note, "  [3] "));
	free(text);
	info_free(&info);
}

static void expect_device_opened(void)
{
	EXPECT_OPEN("/dev/vfio/devices/vfio0", DEVICE_FD);
	expect_bind(DEVICE_FD, DEVICE_ID);
}

static void fill_vtd(void *arg, const void *user)
{
	const struct uapi_hw_info_vtd vtd = {.cap_reg = UINT64_C(47) << 16};
	struct uapi_hw_info *const cmd = arg;

	(void)user;
	memcpy((void *)(uintptr_t)cmd->data_uptr, &vtd, sizeof(vtd));
	cmd->data_len = sizeof(vtd);
	cmd->out_data_type = UAPI_HW_INFO_TYPE_INTEL_VTD;
	cmd->out_max_pasid_log2 = 20;
}

static void fill_ranges(void *arg, const void *user)
{
	static const struct uapi_iova_range ranges[] = {{0, 0xfedfffff}, {0xfef00000, UINT64_MAX}};
	struct uapi_ioas_iova_ranges *const cmd = arg;

	(void)user;
	memcpy((void *)(uintptr_t)cmd->allowed_iovas, ranges, sizeof(ranges));
	cmd->num_iovas = 2;
	cmd->out_iova_alignment = 4096;
}

static void expect_ioas(int attach)
{
	EXPECT_IOCTL(CTX_FD, IOAS_ALLOC, SET(struct uapi_ioas_alloc, out_ioas_id, IOAS_ID));
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT, .result = attach);
	if (!attach) {
		EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = fill_ranges);
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_DETACH_IOMMUFD_PT, .result = 0);
	}
	expect_destroy(IOAS_ID, 0);
}

static void gather_probed(struct info *info, int hw_info, int attach)
{
	make_machine();
	expect_open();
	expect_features();
	expect_device_opened();
	EXPECT_IOCTL(CTX_FD, GET_HW_INFO, .act = hw_info ? NULL : fill_vtd, .result = hw_info);
	expect_ioas(attach);
	EXPECT_CLOSE(DEVICE_FD);
	EXPECT_CLOSE(CTX_FD);
	gather(info, true);
}

static void test_a_probe(void **state)
{
	struct info info;

	(void)state;
	gather_probed(&info, 0, 0);
	assert_false(info_probe_failed(&info));
	assert_table_has(&info, "IOMMU                VT-d\n");
	assert_table_has(&info, "address width        48 bits\n");
	assert_table_has(&info, "PASIDs               20 bits\n");
	assert_table_has(&info, "nesting (hardware)   no\n");
	assert_table_has(&info, "IOVA ranges          0x0 - 0xfedfffff\n");
	assert_table_has(&info, "                     0xfef00000 - 0xffffffffffffffff\n");
	assert_table_has(&info, "IOVA alignment       4096 bytes\n");
	info_free(&info);
}

static void test_the_json_of_a_probe(void **state)
{
	struct info info;

	(void)state;
	NEED_PYTHON;
	gather_probed(&info, 0, 0);
	assert_json(&info, "d[\"devices\"][1][\"probe\"][\"hardware\"][\"name\"] == \"VT-d\"");
	assert_json(&info, "bytes.fromhex(d[\"devices\"][1][\"probe\"][\"hardware\"][\"raw\"]) == "
	                   "bytes(8) + (47 << 16).to_bytes(8, sys.byteorder) + bytes(8)");
	assert_json(&info, "d[\"devices\"][1][\"probe\"][\"hardware\"][\"capabilities\"][\"pasid\"]"
	                   " == {\"answer\": \"yes\", \"bits\": 20}");
	assert_json(&info,
	            "d[\"devices\"][1][\"probe\"][\"iova\"] == {\"alignment\": \"0x1000\", "
	            "\"ranges\": [{\"start\": \"0x0\", \"last\": \"0xfedfffff\"}, {\"start\": "
	            "\"0xfef00000\", \"last\": \"0xffffffffffffffff\"}]}");
	assert_json(&info, "[d[\"devices\"][1][\"probe\"][k] for k in (\"error\", "
	                   "\"hardware_error\", \"iova_error\")] == [None] * 3");
	info_free(&info);
}

static void test_a_probe_that_fails_in_part(void **state)
{
	struct info info;

	(void)state;
	NEED_PYTHON;
	gather_probed(&info, -EOPNOTSUPP, -EINVAL);
	assert_true(info_probe_failed(&info));
	assert_table_has(&info, "IOMMU                libiommu_hw_info_get: EOPNOTSUPP");
	assert_table_has(&info, "IOVA ranges          libiommu_device_attach_ioas: EINVAL");
	assert_json(&info, "d[\"devices\"][1][\"probe\"][\"hardware\"] is None and "
	                   "d[\"devices\"][1][\"probe\"][\"iova\"] is None");
	assert_json(&info, "\"EOPNOTSUPP\" in d[\"devices\"][1][\"probe\"][\"hardware_error\"] and "
	                   "\"EINVAL\" in d[\"devices\"][1][\"probe\"][\"iova_error\"]");
	info_free(&info);
}

static void test_devices_that_cannot_be_opened_or_bound(void **state)
{
	struct info info;

	(void)state;
	for (int round = 0; round < 3; round++) {
		make_machine();
		expect_open();
		expect_features();
		EXPECT(OPEN, .path = "/dev/vfio/devices/vfio0", .flags = 2,
		       .result = round == 0 ? -EACCES : DEVICE_FD);
		if (round > 0)
			EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_BIND_IOMMUFD,
			             .result = round == 1 ? -EBUSY : 0);
		if (round == 2) {
			EXPECT_IOCTL(CTX_FD, GET_HW_INFO, .result = -ENOTTY);
			EXPECT_IOCTL(CTX_FD, IOAS_ALLOC, .result = -ENOMEM);
		}
		gather(&info, true);
		assert_true(info_probe_failed(&info));
		assert_table_has(
			&info, round == 0 ? "not opened           libiommu_device_open_pci: EACCES"
			       : round == 1 ? "not opened           libiommu_device_bind: EBUSY"
					    : "IOVA ranges          libiommu_ioas_alloc: ENOMEM");
		info_free(&info);
	}
}

static void test_chosen_devices(void **state)
{
	static const char *const full[] = {BUSY};
	static const char *const brief[] = {"02:00.0", BRIDGE};
	static const char *const wrong[] = {BUSY, "0000:09:00.0"};
	char error[REASON_MAX] = "";
	struct info info;

	(void)state;
	make_machine();
	for (int i = 0; i < 3; i++)
		expect_nothing();
	assert_int_equal(info_gather(&info, script_door(), true, full, 1, error), 0);
	assert_int_equal(info.device_count, 1);
	assert_string_equal(libiommu_device_list_address(info.list, info.devices[0].index), BUSY);
	assert_false(info_probe_failed(&info));
	info_free(&info);
	assert_int_equal(info_gather(&info, script_door(), false, brief, 2, error), 0);
	assert_int_equal(info.device_count, 2);
	info_free(&info);
	assert_int_equal(info_gather(&info, script_door(), false, wrong, 2, error), 1);
	assert_has(error, "there is no PCI device 0000:09:00.0");
	info_free(&info);
}

/* The words are documented: programs compare them. */
static void test_names_of_obstacles(void **state)
{
	static const char *const names[] = {NULL,        "bridge",        "no-iommu", "host-driver",
	                                    "no-driver", "group-sibling", "no-node"};

	(void)state;
	assert_null(info_obstacle(LIBIOMMU_OBSTACLE_NONE));
	for (int i = LIBIOMMU_OBSTACLE_BRIDGE; i <= LIBIOMMU_OBSTACLE_NO_NODE; i++)
		assert_string_equal(info_obstacle(i), names[i]);
	assert_string_equal(info_obstacle(LIBIOMMU_OBSTACLE_NO_NODE + 1), "unknown");
}

static void test_sysfs_that_cannot_be_read(void **state)
{
	char error[REASON_MAX] = "";
	struct info info;

	(void)state;
	path_error(FAKE_DIR, -EACCES);
	expect_nothing();
	assert_int_equal(info_gather(&info, script_door(), false, NULL, 0, error), 1);
	assert_has(error, "EACCES");
	info_free(&info);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_a_machine_without_iommufd),
		SCRIPT_TEST(test_a_machine_with_containers),
		SCRIPT_TEST(test_the_json_of_a_machine_without_iommufd),
		SCRIPT_TEST(test_features),
		SCRIPT_TEST(test_the_json_of_features),
		SCRIPT_TEST(test_devices),
		SCRIPT_TEST(test_the_json_of_devices),
		SCRIPT_TEST(test_shared_advice),
		SCRIPT_TEST(test_a_probe),
		SCRIPT_TEST(test_the_json_of_a_probe),
		SCRIPT_TEST(test_a_probe_that_fails_in_part),
		SCRIPT_TEST(test_devices_that_cannot_be_opened_or_bound),
		SCRIPT_TEST(test_chosen_devices),
		SCRIPT_TEST(test_names_of_obstacles),
		SCRIPT_TEST(test_sysfs_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
