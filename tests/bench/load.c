/*
 * The load: keeps an echo server busy, or holds idle connections to it, for a given time.
 *
 *   load pingpong PORT CONNECTIONS BYTES MILLISECONDS   one message at a time on each connection
 *   load stream   PORT 1           BYTES MILLISECONDS   writes and reads as much as goes through
 *   load udp      PORT IN_FLIGHT   BYTES MILLISECONDS   datagrams on one socket
 *   load hold     PORT CONNECTIONS BYTES 0              one message each, then idle until stdin ends
 *
 * The first 300 ms do not count: the server's code is compiled while it runs.
 *
 * Prints one line of JSON: messages (or bytes, for stream) per second, latencies in microseconds, and how
 * often the connections with the fewest and the most messages were served.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 4096
#define MOST_BYTES (1 << 20)
#define MOST_LATENCIES (1 << 22)
#define WARM_UP 0.3

struct conversation {
    int fd;
    size_t received; /* bytes of the current answer */
    double sent_at;
    uint32_t messages;
};

static struct conversation conversations[MOST_CONNECTIONS];
static uint32_t latencies[MOST_LATENCIES];
static size_t latency_count;
static char out[MOST_BYTES], in[MOST_BYTES];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static int connect_to(int port, int type) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type, 0), on = 1;
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
    if (type == SOCK_STREAM) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(double per_second, int connections) {
    uint32_t least = conversations[0].messages, most = least;
    for (int i = 1; i < connections; i++) {
        if (conversations[i].messages < least) least = conversations[i].messages;
        if (conversations[i].messages > most) most = conversations[i].messages;
    }
    qsort(latencies, latency_count, sizeof *latencies, by_size);
    uint32_t p50 = latency_count ? latencies[latency_count / 2] : 0;
    uint32_t p99 = latency_count ? latencies[latency_count / 100 * 99] : 0;
    printf("{\"rate\":%.0f,\"p50\":%u,\"p99\":%u,\"least\":%u,\"most\":%u}\n", per_second, p50, p99,
           least, most);
}

static void say(struct conversation *one, size_t size) {
    one->sent_at = seconds();
    one->received = 0;
    if (send(one->fd, out, size, MSG_NOSIGNAL) != (ssize_t)size) fail("send");
}

/* Ends politely: a reset, which closing with unread bytes causes, would be an error to the server. */
static void part(int fd) {
    shutdown(fd, SHUT_WR);
    while (recv(fd, in, MOST_BYTES, 0) > 0) {}
    close(fd);
}

/* Reads what has come; true when the answer is whole. */
static int hear(struct conversation *one, size_t size) {
    ssize_t count = recv(one->fd, in, size - one->received, 0);
    if (count <= 0) fail("recv");
    one->received += count;
    return one->received == size;
}

static void pingpong(int port, int connections, size_t size, double duration) {
    struct epoll_event events[MOST_CONNECTIONS];
    int poller = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &conversations[i]};
        conversations[i].fd = connect_to(port, SOCK_STREAM);
        epoll_ctl(poller, EPOLL_CTL_ADD, conversations[i].fd, &event);
    }
    /* nothing counts before each connection was answered once: accepting is not what is measured */
    for (int i = 0; i < connections; i++) {
        say(&conversations[i], size);
        while (!hear(&conversations[i], size)) {}
    }
    double start = seconds() + WARM_UP, now = 0;
    for (int i = 0; i < connections; i++) say(&conversations[i], size);
    uint64_t messages = 0;
    while (now < start + duration) {
        int ready = epoll_wait(poller, events, MOST_CONNECTIONS, 1000);
        if (ready <= 0) fail("no answer for a second");
        for (int i = 0; i < ready; i++) {
            struct conversation *one = events[i].data.ptr;
            if (!hear(one, size)) continue;
            now = seconds();
            if (now >= start && latency_count < MOST_LATENCIES) {
                latencies[latency_count++] = (uint32_t)((now - one->sent_at) * 1e6);
                one->messages++;
                messages++;
            }
            say(one, size);
        }
    }
    report(messages / (now - start), connections);
    for (int i = 0; i < connections; i++) part(conversations[i].fd);
}

static void stream(int port, size_t size, double duration) {
    struct pollfd both = {.fd = connect_to(port, SOCK_STREAM), .events = POLLIN | POLLOUT};
    double start = seconds() + WARM_UP, now = 0;
    uint64_t received = 0;
    for (; now < start + duration; now = seconds()) {
        if (poll(&both, 1, 1000) <= 0) fail("nothing moves for a second");
        if (both.revents & POLLOUT) send(both.fd, out, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (both.revents & POLLIN) {
            ssize_t count = recv(both.fd, in, MOST_BYTES, MSG_DONTWAIT);
            if (count <= 0) fail("recv");
            if (now >= start) received += count;
        }
    }
    report(received / (now - start), 0);
    part(both.fd);
}

static void udp(int port, int in_flight, size_t size, double duration) {
    int fd = connect_to(port, SOCK_DGRAM);
    /* a lost datagram would not come back: after 50 ms of silence the whole window is sent anew */
    struct timeval patience = {.tv_usec = 50 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int i = 0; i < in_flight; i++) send(fd, out, size, 0);
    double start = seconds() + WARM_UP, now = 0;
    uint64_t messages = 0;
    for (; now < start + duration; now = seconds()) {
        if (recv(fd, in, MOST_BYTES, 0) > 0) {
            if (now >= start) messages++;
            send(fd, out, size, 0);
        } else {
            for (int i = 0; i < in_flight; i++) send(fd, out, size, 0);
        }
    }
    report(messages / (now - start), 0);
}

static void hold(int port, int connections, size_t size) {
    for (int i = 0; i < connections; i++) {
        conversations[i].fd = connect_to(port, SOCK_STREAM);
        say(&conversations[i], size);
        while (!hear(&conversations[i], size)) {}
    }
    report(0, connections);
    fflush(stdout);
    while (read(STDIN_FILENO, in, sizeof in) > 0) {}
}

int main(int count, char **words) {
    if (count != 6) {
        fprintf(stderr, "usage: load pingpong|stream|udp|hold PORT CONNECTIONS BYTES MILLISECONDS\n");
        return 2;
    }
    const char *kind = words[1];
    int port = atoi(words[2]), connections = atoi(words[3]);
    size_t size = strtoul(words[4], NULL, 10);
    double duration = atoi(words[5]) / 1e3;
    if (connections < 1 || connections > MOST_CONNECTIONS || size < 1 || size > MOST_BYTES) return 2;
    alarm(60 + (unsigned)duration); /* it ends by itself, whatever the server does */
    if (!strcmp(kind, "pingpong")) pingpong(port, connections, size, duration);
    else if (!strcmp(kind, "stream")) stream(port, size, duration);
    else if (!strcmp(kind, "udp")) udp(port, connections, size, duration);
    else if (!strcmp(kind, "hold")) hold(port, connections, size);
    else return 2;
    return 0;
}
