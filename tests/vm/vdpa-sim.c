/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vdpa-sim.h"

#include <dirent.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vdpa.h>
#include <linux/vhost.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAGE = 4096, PATIENCE_MS = 5000 };

/* A message of generic netlink, as far as it is needed here. */
struct message {
	struct nlmsghdr head;
	struct genlmsghdr command;
	uint8_t attributes[512];
};

static void begin(struct message *message, uint16_t family, uint8_t command)
{
	memset(message, 0, sizeof(*message));
	message->head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	message->head.nlmsg_type = family;
	message->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->command.cmd = command;
	message->command.version = 1;
}

static void add_text(struct message *message, uint16_t type, const char *text)
{
	struct nlattr attribute = {(uint16_t)(NLA_HDRLEN + strlen(text) + 1), type};
	uint8_t *const at = (uint8_t *)message + NLMSG_ALIGN(message->head.nlmsg_len);

	memcpy(at, &attribute, sizeof(attribute));
	memcpy(at + NLA_HDRLEN, text, strlen(text) + 1);
	message->head.nlmsg_len =
		NLMSG_ALIGN(message->head.nlmsg_len) + (uint32_t)NLA_ALIGN(attribute.nla_len);
}

/* Sends, and reads until the kernel's verdict; another answer before that is in @answer. */
static int talk(int fd, const struct message *message, struct message *answer)
{
	struct message got;
	int error;

	if (send(fd, message, message->head.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		const ssize_t size = recv(fd, &got, sizeof(got), 0);

		if (size < (ssize_t)sizeof(struct nlmsghdr))
			return size < 0 ? -errno : -EPROTO;
		if (got.head.nlmsg_type == NLMSG_ERROR) {
			memcpy(&error, (const uint8_t *)&got + NLMSG_HDRLEN, sizeof(error));
			return error;
		}
		*answer = got;
	}
}

/* The number of the family "vdpa", or -errno. */
static int find_family(int fd)
{
	struct message message, answer = {.head.nlmsg_len = 0};
	int error;

	begin(&message, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	add_text(&message, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	error = talk(fd, &message, &answer);
	if (error)
		return error;
	for (size_t at = NLMSG_LENGTH(GENL_HDRLEN); at + NLA_HDRLEN <= answer.head.nlmsg_len;) {
		struct nlattr attribute;
		uint16_t family;

		memcpy(&attribute, (const uint8_t *)&answer + at, sizeof(attribute));
		memcpy(&family, (const uint8_t *)&answer + at + NLA_HDRLEN, sizeof(family));
		if (attribute.nla_type == CTRL_ATTR_FAMILY_ID)
			return family;
		at += NLA_ALIGN(attribute.nla_len);
	}
	return -ENOENT;
}

static int manage(uint8_t command, const char *kind, const char *name)
{
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	struct message message, answer;
	int result;

	if (fd < 0)
		return -errno;
	result = find_family(fd);
	if (result >= 0) {
		begin(&message, (uint16_t)result, command);
		if (kind)
			add_text(&message, VDPA_ATTR_MGMTDEV_DEV_NAME, kind);
		add_text(&message, VDPA_ATTR_DEV_NAME, name);
		result = talk(fd, &message, &answer);
	}
	close(fd);
	return result;
}

int sim_create(const char *kind, const char *name)
{
	return manage(VDPA_CMD_DEV_NEW, kind, name);
}

int sim_delete(const char *name)
{
	return manage(VDPA_CMD_DEV_DEL, NULL, name);
}

bool sim_node(const char *name, char *node, size_t size)
{
	char path[96];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s", name);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		found = strncmp(entry->d_name, "vhost-vdpa-", strlen("vhost-vdpa-")) == 0;
		if (found)
			snprintf(node, size, "/dev/%.40s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool sim_uses_addresses(void)
{
	FILE *const file = fopen("/sys/module/vdpa_sim/parameters/use_va", "re");
	const int answer = file ? fgetc(file) : 'N';

	if (file)
		fclose(file);
	return answer == 'Y';
}

static int ask(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static int add_status(int fd, uint8_t bits)
{
	uint8_t status;
	int error;

	error = ask(fd, VHOST_VDPA_GET_STATUS, &status);
	status |= bits;
	return error ? error : ask(fd, VHOST_VDPA_SET_STATUS, &status);
}

int sim_reset(int fd)
{
	uint8_t status = 0;

	return ask(fd, VHOST_VDPA_SET_STATUS, &status);
}

int sim_begin(int fd, uint64_t features)
{
	uint64_t wanted = features | UINT64_C(1) << VIRTIO_F_VERSION_1 |
	                  UINT64_C(1) << VIRTIO_F_ACCESS_PLATFORM;
	int error;

	error = sim_reset(fd);
	if (!error)
		error = add_status(fd, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	if (!error)
		error = add_status(fd, VIRTIO_CONFIG_S_DRIVER);
	if (!error)
		error = ask(fd, VHOST_SET_FEATURES, &wanted);
	return error ? error : add_status(fd, VIRTIO_CONFIG_S_FEATURES_OK);
}

int sim_go(int fd)
{
	return add_status(fd, VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Descriptors and what is available in the first page, what is used in the second. */
static struct vring_desc *descriptors(const struct sim_queue *queue)
{
	return (struct vring_desc *)queue->memory;
}

static struct vring_avail *available(const struct sim_queue *queue)
{
	return (struct vring_avail *)(queue->memory + PAGE / 2);
}

static struct vring_used *used(const struct sim_queue *queue)
{
	return (struct vring_used *)(queue->memory + PAGE);
}

int sim_queue_add(struct sim_queue *queue)
{
	struct vhost_vring_state state = {.index = queue->index, .num = SIM_QUEUE_SIZE};
	struct vhost_vring_addr addresses = {
		.index = queue->index,
		.desc_user_addr = queue->iova,
		.avail_user_addr = queue->iova + PAGE / 2,
		.used_user_addr = queue->iova + PAGE,
	};
	struct vhost_vring_file kick = {.index = queue->index};
	int error;

	memset(queue->memory, 0, 2 * PAGE);
	queue->filled = 0;
	queue->kick = eventfd(0, EFD_CLOEXEC);
	if (queue->kick < 0)
		return -errno;
	kick.fd = queue->kick;
	error = ask(queue->fd, VHOST_SET_VRING_NUM, &state);
	state.num = 0;
	if (!error)
		error = ask(queue->fd, VHOST_SET_VRING_BASE, &state);
	if (!error)
		error = ask(queue->fd, VHOST_SET_VRING_ADDR, &addresses);
	if (!error)
		error = ask(queue->fd, VHOST_SET_VRING_KICK, &kick);
	state.num = 1;
	return error ? error : ask(queue->fd, VHOST_VDPA_SET_VRING_ENABLE, &state);
}

void sim_queue_end(struct sim_queue *queue)
{
	close(queue->kick);
}

bool sim_request(struct sim_queue *queue, const struct sim_part *parts, size_t count)
{
	const uint64_t one = 1;
	const volatile uint16_t *const done = &used(queue)->idx;

	for (size_t i = 0; i < count; i++)
		descriptors(queue)[i] = (struct vring_desc){
			.addr = parts[i].iova,
			.len = parts[i].length,
			.flags = (uint16_t)((parts[i].written ? VRING_DESC_F_WRITE : 0) |
		                            (i + 1 < count ? VRING_DESC_F_NEXT : 0)),
			.next = (uint16_t)(i + 1),
		};
	available(queue)->ring[queue->filled % SIM_QUEUE_SIZE] = 0;
	__atomic_store_n(&available(queue)->idx, ++queue->filled, __ATOMIC_SEQ_CST);
	if (write(queue->kick, &one, sizeof(one)) != sizeof(one))
		return false;
	for (int ms = 0; ms < PATIENCE_MS && *done != queue->filled; ms++)
		usleep(1000);
	return __atomic_load_n(&used(queue)->idx, __ATOMIC_SEQ_CST) == queue->filled;
}

int sim_block(struct sim_queue *queue, uint8_t *head, uint64_t head_iova, bool write, uint64_t iova,
              uint32_t length)
{
	const struct virtio_blk_outhdr header = {.type = write ? VIRTIO_BLK_T_OUT
	                                                       : VIRTIO_BLK_T_IN};
	uint8_t *const status = head + sizeof(header);
	const struct sim_part parts[] = {
		{head_iova, sizeof(header), false},
		{iova, length, !write},
		{head_iova + sizeof(header), 1, true},
	};

	memcpy(head, &header, sizeof(header));
	*status = 0xee;
	if (!sim_request(queue, parts, 3))
		return -1;
	return *(volatile uint8_t *)status;
}
