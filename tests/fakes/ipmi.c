/* The kernel's IPMI device, by its own header: answers DCMI's Get Power Reading on any descriptor.
 *
 * The file named by FAKE_IPMI_SPEC is read at each question: "<watts> <state> <completion> <hang>" (2: an
 * answer to the question before). A question that is not to the letter of the interface is refused with EINVAL, as the kernel does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/ipmi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MOST 16

static struct {
    long msgid;
    unsigned char data[64];
    unsigned short length;
} queue[MOST];
static int waiting;

static int asked(const struct ipmi_req *req)
{
    const struct ipmi_system_interface_addr *addr = (const void *)req->addr;
    static const unsigned char question[] = {0xdc, 1, 0, 0};
    unsigned watts = 0, state = 0x40, completion = 0, hang = 0;
    FILE *spec = fopen(getenv("FAKE_IPMI_SPEC"), "r");

    if (spec) {
        if (fscanf(spec, "%u %x %x %u", &watts, &state, &completion, &hang) < 1)
            hang = 1;
        fclose(spec);
    }
    if (req->addr_len < sizeof(*addr) || addr->addr_type != IPMI_SYSTEM_INTERFACE_ADDR_TYPE ||
        addr->channel != IPMI_BMC_CHANNEL || req->msg.netfn != 0x2c || req->msg.cmd != 0x02 ||
        req->msg.data_len != sizeof(question) || memcmp(req->msg.data, question, sizeof(question))) {
        errno = EINVAL;
        return -1;
    }
    if (hang == 1 || waiting == MOST)
        return 0;
    memset(&queue[waiting], 0, sizeof(queue[waiting]));
    unsigned char *data = queue[waiting].data;
    data[0] = completion;
    data[1] = 0xdc;
    data[2] = watts & 0xff;
    data[3] = watts >> 8;
    data[18] = state;
    queue[waiting].length = completion ? 1 : 19;
    queue[waiting++].msgid = req->msgid - (hang == 2);
    return 0;
}

static int taken(struct ipmi_recv *recv)
{
    struct ipmi_system_interface_addr addr = {IPMI_SYSTEM_INTERFACE_ADDR_TYPE, IPMI_BMC_CHANNEL, 0};

    if (!waiting) {
        errno = EAGAIN;
        return -1;
    }
    if (recv->addr_len < sizeof(addr)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(recv->addr, &addr, sizeof(addr));
    recv->recv_type = IPMI_RESPONSE_RECV_TYPE;
    recv->msgid = queue[0].msgid;
    recv->msg.netfn = 0x2d;
    recv->msg.cmd = 0x02;
    if (recv->msg.data_len > queue[0].length)
        recv->msg.data_len = queue[0].length;
    memcpy(recv->msg.data, queue[0].data, recv->msg.data_len);
    memmove(queue, queue + 1, sizeof(queue[0]) * --waiting);
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, ...);
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    request &= 0xffffffff;
    if (request == (IPMICTL_SEND_COMMAND & 0xffffffff))
        return asked(argument);
    if (request == (IPMICTL_RECEIVE_MSG_TRUNC & 0xffffffff))
        return taken(argument);
    if (!real)
        real = dlsym(RTLD_NEXT, "ioctl");
    return real(fd, request, argument);
}
